import type { Db } from '../../db/database.ts';
import { type BlobStore, everyKey, type KeyRange } from '../blob-store.ts';
import { claimStore, countCollection } from '../store-owner.ts';
import { countRows } from './count-rows.ts';
import {
  expireAuditEntries,
  expireIdempotencyKeys,
  expireInboxMails,
  expireOpenUploads,
  expireRateLimits,
  expireUploads,
} from './expire-rows.ts';
import { restoreOrDestroy } from './restore-or-destroy.ts';
import { findStrays, removeStrays, type Strays } from './stray-keys.ts';
import { deleteUnusedBlobs, unusedCount } from './unused-blobs.ts';

/** Counts of what a collection removed. Mails of the inbox and counters of rate limits are not counted. */
export interface Collected {
  /** Expired idempotency keys. */
  readonly idempotencyKeys: number;
  /** Expired audit entries. */
  readonly auditEntries: number;
  /** Expired uploads, complete or not. */
  readonly uploads: number;
  /** Blobs whose row was deleted because nothing refers to them; their bytes were set aside. */
  readonly blobs: number;
  /**
   * Keys of the store without a row, set aside or abandoned: left by requests that failed, or processes that
   * died.
   */
  readonly keys: number;
  /** Blobs set aside earlier that rows refer to again, so they were restored. */
  readonly restored: number;
  /** Blobs set aside long enough ago, deleted for good. */
  readonly destroyed: number;
}

/** What a collection removed, and why it left the rest. The reasons are texts for the operator. */
export interface Collection extends Collected {
  /**
   * Why no file and no upload was removed: the store must not be used with this database, or rows are hidden.
   * Undefined: nothing prevented it.
   */
  readonly off?: string | undefined;
  /** Why unused files of the range were not removed, although expired ones were: there are too many. */
  readonly unlikely?: string | undefined;
}

/** Days for which rows are kept that a setting expires. */
export interface KeepDays {
  readonly inboxMails: number;
  readonly auditEntries: number;
}

/** Options of `collectGarbage`. */
export interface CollectOptions {
  /**
   * Only files whose keys are in this range are removed as unused, or destroyed after they were set aside.
   * All keys by default.
   */
  readonly range?: KeyRange;
  /** Removes unused files even if they are too many: an operator has confirmed it. False by default. */
  readonly anyShare?: boolean;
  /** Undefined: inbox mails and audit entries are kept for ever. */
  readonly keepDays?: KeepDays | undefined;
  /** The current time, by which blobs that were set aside are destroyed. By default this machine's. */
  readonly now?: Date;
}

/**
 * Up to this many files are always removed; more only up to this share, because a healthy desk leaves almost
 * no garbage.
 */
const fewBlobs = 50;
const likelyShare = 0.05;
const batch = 500;

/**
 * Removes what is unused or expired. Rows are deleted before bytes are set aside, so that a later collection
 * finds what a crash leaves. Any number of processes may collect concurrently, for however long and without a
 * lease, which one of them could sleep past: a row is deleted by one of them only, a file is set aside or
 * destroyed only if no row refers to it at that time, and each does what another has done already without an
 * effect. No file is removed unless the
 * store belongs to the database and every row is visible. Unused files of the range are removed only if its
 * files without a row, and its blobs that nothing refers to, are each at most 50 or at most 5 % of all; if
 * either are more, none is removed, unless `anyShare`. Expired uploads are removed whatever their share.
 * Bytes are set aside, and destroyed more than a week later; beginnings of unfinished blobs are destroyed at
 * once.
 * Claims a store without an owner, as `claimStore` does.
 * @param olderThan only older blobs are unused; must be further back than the longest request takes, because
 *   its blobs have no row until its commit
 * @throws the error of the database or the store
 */
export async function collectGarbage(
  db: Db,
  store: BlobStore,
  olderThan: Date,
  { range = everyKey, anyShare = false, keepDays, now = new Date() }: CollectOptions = {},
): Promise<Collection> {
  await expireRateLimits(db);
  if (keepDays !== undefined) await expireInboxMails(db, keepDays.inboxMails);
  const nothing = {
    idempotencyKeys: await expireIdempotencyKeys(db),
    auditEntries: keepDays === undefined ? 0 : await expireAuditEntries(db, keepDays.auditEntries),
    ...{ uploads: 0, blobs: 0, keys: 0, restored: 0, destroyed: 0 },
  };
  const { blobs: rows, hidden } = await countRows(db, range);
  const off = hidden ?? (await claimStore(db, store));
  if (off !== undefined) return { ...nothing, off };
  await countCollection(db, store);

  const expired = { ...nothing, ...(await expire(db, store, olderThan)) };
  const sifted = { ...expired, ...(await restoreOrDestroy(db, store, range, now)) };
  const found = await findStrays(db, store, olderThan, range);
  const unlikely = anyShare ? undefined : await unlikeliness(db, olderThan, range, rows, found);
  if (unlikely !== undefined) return { ...sifted, unlikely };
  const forgotten = await deleteUnusedBlobs(db, store, olderThan, range);
  const keys = await removeStrays(db, store, found.strays);
  return { ...sifted, blobs: expired.blobs + forgotten, keys };
}

/** Expired files are removed whatever their keys, because the database itself says that they have expired. */
async function expire(
  db: Db,
  store: BlobStore,
  olderThan: Date,
): Promise<{ uploads: number; blobs: number }> {
  const open = await expireOpenUploads(db);
  for (const key of open) await store.abandon(key);
  const expired = await expireUploads(db);
  let blobs = 0;
  for (let at = 0; at < expired.length; at += batch)
    blobs += await deleteUnusedBlobs(db, store, olderThan, expired.slice(at, at + batch));
  return { uploads: expired.length + open.length, blobs };
}

async function unlikeliness(
  db: Db,
  olderThan: Date,
  range: KeyRange,
  rows: number,
  { listed, strays }: Strays,
): Promise<string | undefined> {
  if (isUnlikely(strays.length, listed))
    return (
      `no row refers to ${strays.length} of ${listed} files from ${range.from} to ${range.to}, ` +
      'which is unlikely'
    );
  const [found] = await unusedCount(db, range, olderThan);
  const { unused } = found!;
  return isUnlikely(unused, rows)
    ? `${unused} of ${rows} files from ${range.from} to ${range.to} belong to no message, which is unlikely`
    : undefined;
}

const isUnlikely = (going: number, all: number): boolean => going > fewBlobs && going > likelyShare * all;
