/**
 * A value that is kept on an object, for as long as the object is. A WeakMap would do the same, but V8 keeps
 * the values of an old WeakMap through each minor garbage collection, whether or not their keys are alive. Of
 * thousands of short-lived objects, what is kept would be copied, and in the end collected with the old ones.
 */
export class Slot<K extends object, V> {
  readonly #name = Symbol();

  get(of: K): V | undefined {
    return (of as { readonly [name: symbol]: V | undefined })[this.#name];
  }

  /** Not enumerable: a copy of the object is another one. */
  set(of: K, value: V): V {
    Object.defineProperty(of, this.#name, { value, writable: true, configurable: true });
    return value;
  }
}
