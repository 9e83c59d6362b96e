import { sparingOthers } from '../../platform/batcher.ts';

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
  const failed = new Map<number, Error>();
  const rows = await sparingOthers(
    ids,
    async (some) => [...(await load(some))],
    (id, error) => failed.set(id, error as Error),
  );
  return { found: new Map(rows), failed };
}
