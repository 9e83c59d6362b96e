import { sql } from 'drizzle-orm';
import type { Db } from '../../db/database.ts';
import type { BlobStore, KeyRange, ListedBlob } from '../blob-store.ts';

const batch = 500;

/**
 * The age from which a file without a row is garbage, in milliseconds: longer than any request takes, because
 * a younger file may be waiting for its commit.
 */
export const spareMs = 60 * 60_000;

/**
 * Finds which of these keys are in use: by blobs, and by unfinished uploads. A new table that refers to keys
 * must be added to this one statement: a key that moves from one table to another is in one of them at every
 * instant.
 * @returns the use by key; keys that are not in use are missing
 */
export async function keysInUse(db: Db, keys: readonly string[]): Promise<ReadonlyMap<string, Use>> {
  if (keys.length === 0) return new Map();
  const wanted = sql`(${sql.join(
    keys.map((key) => sql`${key}`),
    sql`, `,
  )})`;
  const rows = await db.execute<{ key: string; use: Use }>(sql`
    select key, 'BLOB' as use from blobs where key in ${wanted}
    union all select blob_key, 'ARRIVING' from open_uploads where blob_key in ${wanted}`);
  return new Map(rows.map(({ key, use }) => [key, use]));
}

/** How a key is in use. `ARRIVING`: by an unfinished upload. */
export type Use = 'BLOB' | 'ARRIVING';

/** Result of `findStrays`. */
export interface Strays {
  /** Number of keys of the store in the range, whatever their age. */
  readonly listed: number;
  /**
   * Keys without a row, and unfinished beginnings of finished blobs: left by requests that failed, or
   * processes that died.
   */
  readonly strays: readonly ListedBlob[];
}

/**
 * Lists the store's keys in the range, and finds those without a row. Keys younger than `olderThan` are
 * counted, but not taken for strays. Removes nothing.
 */
export async function findStrays(
  db: Db,
  store: BlobStore,
  olderThan: Date,
  range: KeyRange,
): Promise<Strays> {
  const strays: ListedBlob[] = [];
  let listed = 0;
  let old: ListedBlob[] = [];
  const sift = async () => {
    strays.push(...(await straysAmong(db, old)));
    old = [];
  };
  for await (const blob of store.list(range)) {
    listed += 1;
    if (blob.at < olderThan && old.push(blob) >= batch) await sift();
  }
  await sift();
  return { listed, strays };
}

async function straysAmong(db: Db, blobs: readonly ListedBlob[]): Promise<ListedBlob[]> {
  const used = await keysInUse(
    db,
    blobs.map(({ key }) => key),
  );
  // A finished blob may still have an unfinished beginning, left by a retry that was not needed.
  return blobs.filter(
    ({ key, finished }) => used.get(key) === undefined || (used.get(key) === 'BLOB' && !finished),
  );
}

/**
 * Sets finished blobs aside, and destroys unfinished ones at once. Those to which a row refers by now are
 * left: since they were found, the collection may have taken hours, or slept.
 * @returns how many were removed
 */
export async function removeStrays(db: Db, store: BlobStore, found: readonly ListedBlob[]): Promise<number> {
  let removed = 0;
  for (let at = 0; at < found.length; at += batch)
    for (const { key, finished } of await straysAmong(db, found.slice(at, at + batch))) {
      await (finished ? store.setAside(key) : store.abandon(key));
      removed += 1;
    }
  return removed;
}
