import { mayBeOfOneRow } from '../../platform/database-faults.ts';

/** Rows by id, and the errors of those that could not be loaded. */
export interface Loaded<V> {
  readonly found: ReadonlyMap<number, V>;
  readonly failed: ReadonlyMap<number, Error>;
}

/**
 * Loads rows together. If the server rejects the statement, perhaps because one of the rows is damaged, each
 * half is loaded by itself, and so on, so that such a row fails alone.
 * @throws any other error of `load`
 */
export async function loadApart<V>(
  load: (ids: readonly number[]) => Promise<ReadonlyMap<number, V>>,
  ids: readonly number[],
): Promise<Loaded<V>> {
  if (ids.length === 0) return { found: new Map(), failed: new Map() };
  try {
    return { found: await load(ids), failed: new Map() };
  } catch (error) {
    if (!mayBeOfOneRow(error)) throw error;
    if (ids.length === 1) return { found: new Map(), failed: new Map([[ids[0]!, error as Error]]) };
    const half = Math.ceil(ids.length / 2);
    const first = await loadApart(load, ids.slice(0, half));
    const second = await loadApart(load, ids.slice(half));
    return {
      found: new Map([...first.found, ...second.found]),
      failed: new Map([...first.failed, ...second.failed]),
    };
  }
}
