import { and, eq, exists, inArray, like, lt, not, or, type SQL, sql } from 'drizzle-orm';
import type { Db } from '../db/database.ts';
import { attachments, blobs as blobsTable, uploads } from '../db/tables.ts';
import type { BlobStore } from './blob-store.ts';

/** What a collection removed. */
export interface Collected {
  readonly uploads: number;
  /** Blobs that had a row. */
  readonly blobs: number;
  /** Keys of the store that no row named: of requests that failed, or processes that died. */
  readonly keys: number;
  readonly idempotencyKeys: number;
}

/** An upload may be attached within a day. One that was lives on as an attachment. */
export const uploadLifetimeHours = 24;
/** From then on, a call with the same key is a new one. */
const idempotencyKeyLifetimeDays = 30;
/** A command that found an upload in its last minute still has to commit. */
const graceHours = 1;
const batch = 500;
/** More, as nothing is to be done but to delete them, and each search passes over those that are gone already. */
const idempotencyKeyBatch = 5000;

/**
 * Removes what nobody can reach any more or has had its time. Rows go first, then bytes, so that what a crash leaves is found by a later collection.
 * Any number of processes may collect at once.
 * @param olderThan must lie further back than the longest request takes: its blobs have no row until its commit.
 * @param part of what a crash or a fault left behind, only blobs whose keys begin so are looked for; all unless given.
 */
export async function collectGarbage(
  db: Db,
  store: BlobStore,
  olderThan: Date,
  part = '',
): Promise<Collected> {
  const idempotencyKeys = await expireIdempotencyKeys(db);
  const expired = await expireUploads(db);
  let forgotten = 0;
  for (let at = 0; at < expired.length; at += batch) {
    const among = inArray(blobsTable.key, expired.slice(at, at + batch));
    forgotten += await forgetBlobs(db, store, olderThan, among);
  }
  forgotten += await forgetBlobs(db, store, olderThan, like(blobsTable.key, `${part}%`));
  const keys = await removeStrays(db, store, olderThan, part);
  return { idempotencyKeys, uploads: expired.length, blobs: forgotten, keys };
}

/** Some at a time, so that no commit of a busy desk is a long one. By their place in the table, where the old ones lie together. */
async function expireIdempotencyKeys(db: Db): Promise<number> {
  for (let count = 0; ; ) {
    const gone = await db.execute(sql`
      delete from idempotency_keys where ctid = any (array(
        select ctid from idempotency_keys where created_at < now() - make_interval(days => ${idempotencyKeyLifetimeDays})
        limit ${idempotencyKeyBatch} for update skip locked))
      returning 1`);
    count += gone.length;
    if (gone.length < idempotencyKeyBatch) return count;
  }
}

/** @returns keys of their blobs, some of which attachments may name */
async function expireUploads(db: Db): Promise<string[]> {
  const gone = await db
    .delete(uploads)
    .where(lt(uploads.createdAt, sql`now() - make_interval(hours => ${uploadLifetimeHours + graceHours})`))
    .returning({ key: uploads.blobKey });
  return gone.map(({ key }) => key);
}

async function forgetBlobs(db: Db, store: BlobStore, olderThan: Date, among: SQL): Promise<number> {
  let count = 0;
  for (;;) {
    const keys = await forgetSome(db, olderThan, among);
    for (const key of keys) await store.remove(key);
    count += keys.length;
    if (keys.length === 0) return count;
  }
}

/**
 * Two statements: the first locks rows that look unused, so that none of them can be attached any more; the second sees whatever
 * was attached until then.
 */
function forgetSome(db: Db, olderThan: Date, among: SQL): Promise<string[]> {
  const used = or(
    exists(db.select({ one: sql`1` }).from(attachments).where(eq(attachments.blobKey, blobsTable.key))),
    exists(db.select({ one: sql`1` }).from(uploads).where(eq(uploads.blobKey, blobsTable.key))),
  )!;
  return db.transaction(async (tx) => {
    const unused = await tx
      .select({ key: blobsTable.key })
      .from(blobsTable)
      .where(and(among, lt(blobsTable.createdAt, olderThan), not(used)))
      .limit(batch)
      .for('update', { skipLocked: true });
    if (unused.length === 0) return [];
    const keys = unused.map(({ key }) => key);
    const gone = await tx
      .delete(blobsTable)
      .where(and(inArray(blobsTable.key, keys), not(used)))
      .returning({ key: blobsTable.key });
    return gone.map(({ key }) => key);
  });
}

async function removeStrays(db: Db, store: BlobStore, olderThan: Date, part: string): Promise<number> {
  let count = 0;
  let keys: string[] = [];
  for await (const { key, at } of store.list({ from: part || '0', to: `${part}g` })) {
    if (at >= olderThan || keys.push(key) < batch) continue;
    count += await removeUnnamed(db, store, keys);
    keys = [];
  }
  return count + (await removeUnnamed(db, store, keys));
}

async function removeUnnamed(db: Db, store: BlobStore, keys: readonly string[]): Promise<number> {
  if (keys.length === 0) return 0;
  const rows = await db
    .select({ key: blobsTable.key })
    .from(blobsTable)
    .where(inArray(blobsTable.key, [...keys]));
  const named = new Set(rows.map(({ key }) => key));
  const strays = keys.filter((key) => !named.has(key));
  for (const key of strays) await store.remove(key);
  return strays.length;
}
