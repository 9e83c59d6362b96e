import type { Db } from '../../db/database.ts';
import { countCollection, foreignness } from '../belonging.ts';
import { type BlobStore, everyKey, type KeyRange } from '../blob-store.ts';
import { siftAside } from './aside.ts';
import { takeCensus } from './census.ts';
import {
  expireIdempotencyKeys,
  expireInboxMails,
  expireOpenUploads,
  expireRateLimits,
  expireUploads,
} from './expire.ts';
import { forgetBlobs, unusedCount } from './forget.ts';
import { findStrays, removeStrays, type Strays } from './strays.ts';

/** What a collection removed. */
export interface Collected {
  readonly idempotencyKeys: number;
  /** Uploads whose time is over, whether all of their bytes had come or not. */
  readonly uploads: number;
  /** Blobs that had a row. */
  readonly blobs: number;
  /** Keys of the store that no row named: of requests that failed, or processes that died. */
  readonly keys: number;
  readonly restored: number;
  readonly destroyed: number;
}

/** Reasons are for people. */
export interface Collection extends Collected {
  /** Why no file was touched. */
  readonly off?: string | undefined;
  /** Why those of the range were not, but for what had expired. */
  readonly unlikely?: string | undefined;
}

export interface CollectOptions {
  /** What a crash or a fault left behind is looked for among these keys only. */
  readonly range?: KeyRange;
  /** Somebody has looked, and says that it is right that so much goes. */
  readonly anyShare?: boolean;
  /** Days that mails of the development inbox stay; undefined: for ever. */
  readonly inboxDays?: number | undefined;
  readonly now?: Date;
}

/** So few may always go; of more, no larger share than this: a desk leaves next to no garbage. */
const fewBlobs = 50;
const likelyShare = 0.05;
const batch = 500;

/**
 * Removes what nobody can reach any more or has had its time. Rows go first, and then bytes are set aside, so
 * that what a crash leaves is found by a later collection. Any number of processes may collect at once. No
 * file is touched unless the store is the database's own, every row is seen, and no unlikely share would go.
 * @param olderThan must lie further back than the longest request takes: its blobs have no row until its
 * commit.
 */
export async function collectGarbage(
  db: Db,
  store: BlobStore,
  olderThan: Date,
  { range = everyKey, anyShare = false, inboxDays, now = new Date() }: CollectOptions = {},
): Promise<Collection> {
  await expireRateLimits(db);
  if (inboxDays !== undefined) await expireInboxMails(db, inboxDays);
  const nothing = {
    idempotencyKeys: await expireIdempotencyKeys(db),
    ...{ uploads: 0, blobs: 0, keys: 0, restored: 0, destroyed: 0 },
  };
  const { blobs: rows, hidden } = await takeCensus(db, range);
  const off = hidden ?? (await foreignness(db, store));
  if (off !== undefined) return { ...nothing, off };
  await countCollection(db, store);

  const expired = { ...nothing, ...(await expire(db, store, olderThan)) };
  const sifted = { ...expired, ...(await siftAside(db, store, range, now)) };
  const found = await findStrays(db, store, olderThan, range);
  const unlikely = anyShare ? undefined : await unlikeliness(db, olderThan, range, rows, found);
  if (unlikely !== undefined) return { ...sifted, unlikely };
  const forgotten = await forgetBlobs(db, store, olderThan, range);
  await removeStrays(store, found.strays);
  return { ...sifted, blobs: expired.blobs + forgotten, keys: found.strays.length };
}

/** What expired goes at once, whatever its key: the database itself says that it has had its time. */
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
    blobs += await forgetBlobs(db, store, olderThan, expired.slice(at, at + batch));
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
    return `${strays.length} of ${listed} files from ${range.from} to ${range.to} are named by no row, which is unlikely`;
  const [found] = await unusedCount(db, range, olderThan);
  const { unused } = found!;
  return isUnlikely(unused, rows)
    ? `${unused} of ${rows} files from ${range.from} to ${range.to} belong to no message, which is unlikely`
    : undefined;
}

const isUnlikely = (going: number, all: number): boolean => going > fewBlobs && going > likelyShare * all;
