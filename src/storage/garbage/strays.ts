import { sql } from 'drizzle-orm';
import type { Db } from '../../db/database.ts';
import type { BlobStore, KeyRange, ListedBlob } from '../blob-store.ts';

const batch = 500;

/**
 * Which of some keys rows name: of blobs, and of uploads that are still arriving. Whoever adds a table that
 * names keys adds it here, in this one statement: a key that moves from one table to another is in one of
 * them at every instant.
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

/** `ARRIVING`: what is there of it is not all. */
export type Use = 'BLOB' | 'ARRIVING';

export interface Strays {
  /** Keys of the store in the range, of whatever age. */
  readonly listed: number;
  /** Those that no row names: of requests that failed, or processes that died. */
  readonly strays: readonly ListedBlob[];
}

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
    const used = await keysInUse(
      db,
      old.map(({ key }) => key),
    );
    // Of a blob that is whole, a beginning may be left that somebody's second try made needless.
    const isStray = ({ key, finished }: ListedBlob) =>
      used.get(key) === undefined || (used.get(key) === 'BLOB' && !finished);
    strays.push(...old.filter(isStray));
    old = [];
  };
  for await (const blob of store.list(range)) {
    listed += 1;
    if (blob.at < olderThan && old.push(blob) >= batch) await sift();
  }
  await sift();
  return { listed, strays };
}

/** Half of a blob is of no use to anybody: it goes at once. */
export async function removeStrays(store: BlobStore, strays: readonly ListedBlob[]): Promise<void> {
  for (const { key, finished } of strays) await (finished ? store.setAside(key) : store.abandon(key));
}
