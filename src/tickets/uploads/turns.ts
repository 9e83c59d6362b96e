import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import type { Db } from '../../db/database.ts';
import { UploadFault } from './faults.ts';
import { freeLease, renewLease, takeLease } from './lease.ts';

/*
 * Requests for one unfinished upload take turns: whoever comes later ends the one before, as its sender has
 * given it up. Within a process that is at once. Of another process it is asked by the row, which the one
 * before looks at while it holds its lease (`lease.ts`).
 */

/** Milliseconds between signs of life, and looks at whether somebody waits. */
const lookMs = 1500;
/**
 * Looks at whether another process has given its turn up, and milliseconds between them: longer than the
 * lease of one that died.
 */
const looks = 16;
const waitMs = 500;

/**
 * Numbers requests as they arrive, before anything is waited for: one that was held up on its way must not
 * end a later one.
 */
export const nextArrival = (): number => {
  arrivals += 1;
  return arrivals;
};
let arrivals = 0;

interface Turn {
  /** Ends what is being done in it. */
  readonly stop: () => void;
  readonly done: Promise<unknown>;
}
const running = new Map<string, Turn>();
/**
 * The latest request for each upload that had a turn: an offset that was told may not move by an earlier one.
 */
const latest = new LRUCache<string, number>({ max: 10_000 });

/**
 * Runs some work on an upload when its turn has come.
 * @param arrival of the request, by `nextArrival`
 * @param stop ends the work early: called when somebody else comes for the same upload
 * @throws UploadFault UPLOAD_BUSY when a later request was quicker, or another process does not give its turn
 * up
 */
export async function inTurn<T>(
  db: Db,
  uploadId: string,
  arrival: number,
  stop: () => void,
  work: () => Promise<T>,
): Promise<T> {
  if ((latest.get(uploadId) ?? 0) > arrival) throw busy();
  latest.set(uploadId, arrival);
  for (let before = running.get(uploadId); before !== undefined; before = running.get(uploadId)) {
    if ((latest.get(uploadId) ?? 0) > arrival) throw busy();
    before.stop();
    await before.done.catch(() => {});
  }
  const done = whileHeld(db, uploadId, stop, work);
  running.set(uploadId, { stop, done });
  try {
    return await done;
  } finally {
    running.delete(uploadId);
  }
}

async function whileHeld<T>(db: Db, uploadId: string, stop: () => void, work: () => Promise<T>): Promise<T> {
  const writer = randomUUID();
  await take(db, uploadId, writer);
  const look = setInterval(() => {
    renewLease(db, uploadId, writer).then(
      (mayGoOn) => {
        if (!mayGoOn) stop();
      },
      // Without a sign of life the turn is soon another's.
      () => stop(),
    );
  }, lookMs);
  try {
    return await work();
  } finally {
    clearInterval(look);
    await freeLease(db, uploadId, writer).catch(() => {});
  }
}

/** An upload that has no row has no turns either: its work will find that out. */
async function take(db: Db, uploadId: string, writer: string): Promise<void> {
  for (let look = 0; look < looks; look += 1) {
    if (await takeLease(db, uploadId, writer)) return;
    await sleep(waitMs);
  }
  throw busy();
}

const busy = (): UploadFault =>
  new UploadFault('UPLOAD_BUSY', 'Another request for this upload has not ended yet');
