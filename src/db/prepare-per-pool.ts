import type { Db, Reader } from './database.ts';

/**
 * Makes a function that returns a prepared statement for a pool. It calls `build` when it is first called
 * with the pool, and keeps the result; for each transaction it calls `build` anew. `build` ends with
 * `.prepare(name)`: for an unnamed statement the driver first asks the server for a description (a second
 * round trip), and the server plans it each time.
 */
export function preparePerPool<P>(build: (db: Reader) => P): (db: Reader) => P;
/** The same for a statement that writes, which takes a pool. */
export function preparePerPool<P>(build: (db: Db) => P): (db: Db) => P;
export function preparePerPool<D extends Reader, P>(build: (db: D) => P): (db: D) => P {
  const prepared = new WeakMap<D, P>();
  return (db) => {
    let statement = prepared.get(db);
    if (statement === undefined) {
      statement = build(db);
      prepared.set(db, statement);
    }
    return statement;
  };
}
