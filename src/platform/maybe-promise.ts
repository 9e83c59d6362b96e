/** Whether a value has a method `then`. */
export const isPromise = (value: unknown): value is Promise<unknown> =>
  typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';

/**
 * Calls a function with a value, at once unless the value is a promise. Most requests wait for nothing but
 * the database, and `await` takes 0.2 µs even for a value that is there.
 */
export const whenReady = <T, R>(value: T | Promise<T>, use: (value: T) => R | Promise<R>): R | Promise<R> =>
  isPromise(value) ? (value as Promise<T>).then(use) : use(value);
