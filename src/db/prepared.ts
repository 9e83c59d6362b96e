import type { Reader } from './database.ts';

/**
 * A statement prepared once for each pool; a transaction prepares its own. Without a name, the driver asks the server to describe
 * each statement first (a second round trip) and to plan it anew.
 */
export function preparedFor<P>(build: (db: Reader) => P): (db: Reader) => P {
  const prepared = new WeakMap<Reader, P>();
  return (db) => {
    let statement = prepared.get(db);
    if (statement === undefined) {
      statement = build(db);
      prepared.set(db, statement);
    }
    return statement;
  };
}
