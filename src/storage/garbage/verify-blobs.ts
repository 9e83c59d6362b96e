import { createHash } from 'node:crypto';
import { asc, eq, gt } from 'drizzle-orm';
import type { Db } from '../../db/database.ts';
import { blobs as blobsTable } from '../../db/tables.ts';
import { BlobMissing, type BlobStore, everyKey } from '../blob-store.ts';
import { whyStoreUnusable } from '../store-owner.ts';
import { countRows } from './count-rows.ts';
import { findStrays } from './stray-keys.ts';

/** What is wrong with the file of one row. UNREADABLE: the store's answer was any other error. */
export interface Damage {
  /** The blob's key. */
  readonly key: string;
  readonly what: 'MISSING' | 'WRONG_SIZE' | 'WRONG_DIGEST' | 'UNREADABLE';
}

/** Result of `verifyBlobs`. */
export interface VerifyReport {
  /** Number of rows that refer to a file. */
  readonly rows: number;
  /** Sum of their sizes in bytes, as the rows have them. */
  readonly bytes: number;
  readonly damaged: readonly Damage[];
  /**
   * Number of files older than `olderThan`, finished or not, that no row refers to, and of unfinished
   * beginnings of finished files.
   */
  readonly strays: number;
  /** Number of files that were set aside and can still be restored. */
  readonly aside: number;
  /** Why garbage collection would remove no file, as text for the operator; null when it works. */
  readonly collectionOff: string | null;
}

/** Progress of `verifyBlobs`. */
export interface VerifyProgress {
  /** Rows whose file was read so far. */
  readonly rows: number;
  /** Number of rows in total, as counted at the beginning. */
  readonly of: number;
  /** Bytes of these files, as the rows have them. */
  readonly bytes: number;
}

/** Rows per batch. Their files are read one after another, to leave the store to requests. */
const page = 200;

/**
 * Reads every file that a row refers to completely, and compares its size and SHA-256 with the row. Counts
 * the files without a row as well. Changes nothing.
 * @param olderThan only older files count as files without a row, as for `collectGarbage`
 * @param onProgress called after each file
 * @throws the error of the database, or of the store when it cannot list its files
 */
export async function verifyBlobs(
  db: Db,
  store: BlobStore,
  olderThan: Date,
  onProgress: (progress: VerifyProgress) => void,
): Promise<VerifyReport> {
  const { blobs: of, hidden } = await countRows(db, everyKey);
  const damaged: Damage[] = [];
  let rows = 0;
  let bytes = 0;
  for (let after = ''; ; ) {
    const some = await db
      .select({ key: blobsTable.key, byteSize: blobsTable.byteSize, sha256: blobsTable.sha256 })
      .from(blobsTable)
      .where(gt(blobsTable.key, after))
      .orderBy(asc(blobsTable.key))
      .limit(page);
    for (const row of some) {
      const what = await damageOf(store, row);
      // A redaction or a collection may have removed the row and its file since the row was read.
      if (what !== undefined && (what !== 'MISSING' || (await hasRow(db, row.key))))
        damaged.push({ key: row.key, what });
      rows += 1;
      bytes += row.byteSize;
      onProgress({ rows, of, bytes });
    }
    if (some.length < page) break;
    after = some.at(-1)!.key;
  }
  const { strays } = await findStrays(db, store, olderThan, everyKey);
  let aside = 0;
  for await (const _one of store.listAside()) aside += 1;
  const collectionOff = hidden ?? (await whyStoreUnusable(db, store)) ?? null;
  return { rows, bytes, damaged, strays: strays.length, aside, collectionOff };
}

const hasRow = async (db: Db, key: string): Promise<boolean> =>
  (await db.select({ key: blobsTable.key }).from(blobsTable).where(eq(blobsTable.key, key))).length > 0;

async function damageOf(
  store: BlobStore,
  { key, byteSize, sha256 }: { key: string; byteSize: number; sha256: Buffer },
): Promise<Damage['what'] | undefined> {
  try {
    const hash = createHash('sha256');
    let size = 0;
    for await (const piece of (await store.open(key)) as AsyncIterable<Buffer>) {
      hash.update(piece);
      size += piece.length;
    }
    if (size !== byteSize) return 'WRONG_SIZE';
    return hash.digest().equals(sha256) ? undefined : 'WRONG_DIGEST';
  } catch (error) {
    return error instanceof BlobMissing ? 'MISSING' : 'UNREADABLE';
  }
}
