import type { Db } from '../../db/database.ts';
import { dayOf } from '../aside-day.ts';
import { type AsideBlob, type BlobStore, isInRange, type KeyRange } from '../blob-store.ts';
import { keysInUse } from './stray-keys.ts';

/**
 * Days for which blobs that were set aside can be restored: long enough to notice a loss and to restore a
 * database.
 */
const asideDays = 7;
const batch = 500;
const dayMs = 86_400_000;

/** Counts of what `restoreOrDestroy` did. */
export interface RestoredOrDestroyed {
  /**
   * Blobs that were restored because rows refer to them. The database was an older backup when they were set
   * aside.
   */
  readonly restored: number;
  /** Blobs deleted for good. */
  readonly destroyed: number;
}

/**
 * Goes through all blobs that were set aside: restores those that rows refer to again, whatever their keys,
 * and destroys the others in `range` that were set aside more than 7 days before `now`, by days in UTC.
 */
export async function restoreOrDestroy(
  db: Db,
  store: BlobStore,
  range: KeyRange,
  now: Date,
): Promise<RestoredOrDestroyed> {
  const last = dayOf(new Date(now.getTime() - asideDays * dayMs));
  let restored = 0;
  let destroyed = 0;
  let some: AsideBlob[] = [];
  const sift = async () => {
    const used = await keysInUse(
      db,
      some.map(({ key }) => key),
    );
    for (const aside of some) {
      if (used.has(aside.key)) {
        await store.restore(aside);
        restored += 1;
      } else if (aside.day < last && isInRange(aside.key, range)) {
        await store.destroy(aside);
        destroyed += 1;
      }
    }
    some = [];
  };
  for await (const aside of store.listAside()) if (some.push(aside) >= batch) await sift();
  await sift();
  return { restored, destroyed };
}
