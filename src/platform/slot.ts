/**
 * Attaches values to objects: one value per object and slot, for as long as the object lives. A WeakMap would
 * do the same, but V8 keeps the values of an old WeakMap through each minor garbage collection, whether or
 * not their keys are alive. The values of thousands of short-lived objects would be copied, and freed only
 * with old objects.
 */
export class Slot<K extends object, V> {
  readonly #name = Symbol();

  /** The object's value in this slot; undefined if none was set. */
  get(of: K): V | undefined {
    return (of as { readonly [name: symbol]: V | undefined })[this.#name];
  }

  /**
   * Sets the object's value, or replaces it. It is not enumerable, so a copy of the object does not have it.
   * @returns the value
   * @throws TypeError for an object that is frozen, or has no value yet and takes no new properties
   */
  set(of: K, value: V): V {
    Object.defineProperty(of, this.#name, { value, writable: true, configurable: true });
    return value;
  }
}
