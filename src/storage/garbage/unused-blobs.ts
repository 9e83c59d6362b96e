import { and, count, gte, inArray, lt, notExists, type SQL, sql } from 'drizzle-orm';
import type { Db, Reader, Tx } from '../../db/database.ts';
import { attachments, blobs as blobsTable, uploads } from '../../db/tables.ts';
import type { BlobStore, KeyRange } from '../blob-store.ts';

const batch = 500;

/** Which blobs to check: a range of keys, or these keys. */
export type Among = KeyRange | readonly string[];

const within = (
  column: typeof blobsTable.key | typeof attachments.blobKey | typeof uploads.blobKey,
  among: Among,
): SQL =>
  'from' in among ? and(gte(column, among.from), lt(column, among.to))! : inArray(column, [...among]);

/**
 * Blobs that neither an attachment nor an upload refers to. The range of the referring rows follows from the
 * join, but PostgreSQL does not infer it. The query states it, so that PostgreSQL reads a range of each index
 * instead of a whole table, whatever its estimates are.
 */
const unused = (db: Pick<Reader, 'select'>, among: Among, olderThan: Date): SQL => {
  const one = { one: sql`1` };
  const named = (column: typeof attachments.blobKey | typeof uploads.blobKey) =>
    and(sql`${column} = ${blobsTable.key}`, within(column, among));
  return and(
    within(blobsTable.key, among),
    lt(blobsTable.createdAt, olderThan),
    notExists(db.select(one).from(attachments).where(named(attachments.blobKey))),
    notExists(db.select(one).from(uploads).where(named(uploads.blobKey))),
  )!;
};

/**
 * Drizzle query, which runs when it is awaited, for the number of blobs in the range that are older than
 * `olderThan` and that no attachment or upload refers to. It has one row, with the number as `unused`.
 */
export const unusedCount = (db: Pick<Reader, 'select'>, range: KeyRange, olderThan: Date) =>
  db
    .select({ unused: count() })
    .from(blobsTable)
    .where(unused(db, range, olderThan));

/** Drizzle query for up to 500 such blobs, in no particular order. Each row has the blob's `key`. */
export const unusedBatch = (db: Pick<Reader, 'select'>, among: Among, olderThan: Date) =>
  db
    .select({ key: blobsTable.key })
    .from(blobsTable)
    .where(unused(db, among, olderThan))
    .limit(batch);

/**
 * Deletes the rows of all blobs older than `olderThan` that no attachment or upload refers to, and sets their
 * bytes aside. Up to 500 rows are deleted in one transaction; rows that another one holds are skipped.
 * @returns number of blobs
 */
export async function deleteUnusedBlobs(
  db: Db,
  store: BlobStore,
  olderThan: Date,
  among: Among,
): Promise<number> {
  for (let total = 0; ; ) {
    const keys = await db.transaction((tx) => forgetSome(tx, olderThan, among));
    for (const key of keys) await store.setAside(key);
    total += keys.length;
    if (keys.length === 0) return total;
  }
}

/**
 * Two statements: the first locks rows that look unused, so that they cannot be attached any more; the
 * second sees what was attached before that.
 */
async function forgetSome(tx: Tx, olderThan: Date, among: Among): Promise<string[]> {
  const found = await unusedBatch(tx, among, olderThan).for('update', { skipLocked: true });
  if (found.length === 0) return [];
  const keys = found.map(({ key }) => key);
  const gone = await tx
    .delete(blobsTable)
    .where(unused(tx, keys, olderThan))
    .returning({ key: blobsTable.key });
  return gone.map(({ key }) => key);
}
