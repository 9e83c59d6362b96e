import type { Db, Reader } from './database.ts';

/**
 * A statement prepared once for each pool; a transaction prepares its own. Without a name, the driver asks
 * the server to describe each statement first (a second round trip) and to plan it anew.
 */
export function preparedFor<P>(build: (db: Reader) => P): (db: Reader) => P;
/** The same of a statement that writes, which takes a pool. */
export function preparedFor<P>(build: (db: Db) => P): (db: Db) => P;
export function preparedFor<D extends Reader, P>(build: (db: D) => P): (db: D) => P {
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
