import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import type { Db } from '../../db/database.ts';
import { Refusal } from '../../platform/errors.ts';
import { UploadFault } from './fault.ts';
import { freeLease, holdsLease, renewLease, takeLease } from './lease.ts';

/*
 * Requests for one unfinished upload run one at a time. A later request ends the earlier one, which its
 * client has given up: directly within a process, and through the row's `wanted` flag across processes
 * (`lease.ts`). A request whose process slept past its lease wakes up while a later one writes, or after
 * it. It must change nothing then: neither the row, which names its writer, nor the bytes, which the later
 * request has taken over under another key (`take-over.ts`).
 */

/** Milliseconds between renewals of the lease, which also check whether another process wants it. */
const renewMs = 1500;
/**
 * Attempts to take the lease from another process, and milliseconds between them. Together longer than a dead
 * process's lease.
 */
const attempts = 16;
const waitMs = 500;

/**
 * Numbers a request of this process on arrival, from 1 upwards. Must be called before any await, so that a
 * delayed request cannot end a later one.
 */
export const nextArrival = (): number => {
  arrivals += 1;
  return arrivals;
};
let arrivals = 0;

interface Turn {
  /** Stops the running work. */
  readonly stop: () => void;
  readonly done: Promise<unknown>;
}
const running = new Map<string, Turn>();
/** The latest request per upload. An earlier one must not change an offset that was reported since. */
const latest = new LRUCache<string, number>({ max: 10_000 });

/**
 * Runs work on an upload alone, in all processes, and settles as the work does. The work of an earlier
 * request on the same upload is ended first. This waits until it has ended, for up to 8 seconds if it is in
 * another process.
 * @param arrival number of the request, by `nextArrival`
 * @param stop ends the work early; called when a later request comes for the same upload, in any process, or
 *   the lease cannot be renewed
 * @param work gets the UUID by which the row names this request as its writer
 * @param takeOver called before the work if the one who had the lease before has not freed it; gets the same
 *   UUID. If it is missing or rejects, the lease is not freed either, so that the next request takes over
 * @throws UploadFault UPLOAD_BUSY when a later request overtook this one, or another process keeps the lease:
 *   the work has not begun then. Also when the work failed after the lease was lost
 */
export async function runExclusively<T>(
  db: Db,
  uploadId: string,
  arrival: number,
  stop: () => void,
  work: (writer: string) => Promise<T>,
  takeOver?: (writer: string) => Promise<void>,
): Promise<T> {
  if ((latest.get(uploadId) ?? 0) > arrival) throw busy();
  latest.set(uploadId, arrival);
  for (let before = running.get(uploadId); before !== undefined; before = running.get(uploadId)) {
    if ((latest.get(uploadId) ?? 0) > arrival) throw busy();
    before.stop();
    await before.done.catch(() => {});
  }
  const done = whileHeld(db, uploadId, stop, work, takeOver);
  running.set(uploadId, { stop, done });
  try {
    return await done;
  } finally {
    running.delete(uploadId);
  }
}

async function whileHeld<T>(
  db: Db,
  uploadId: string,
  stop: () => void,
  work: (writer: string) => Promise<T>,
  takeOver: ((writer: string) => Promise<void>) | undefined,
): Promise<T> {
  const writer = randomUUID();
  let isAnothers = await take(db, uploadId, writer);
  const renewal = setInterval(() => {
    renewLease(db, uploadId, writer).then(
      (mayGoOn) => {
        if (!mayGoOn) stop();
      },
      // Without renewal the lease expires soon.
      () => stop(),
    );
  }, renewMs);
  try {
    if (isAnothers && takeOver !== undefined) {
      await takeOver(writer);
      isAnothers = false;
    }
    return await work(writer);
  } catch (error) {
    // What was told on purpose is told; any other error may come of what the new writer has done.
    const isTold = error instanceof UploadFault || error instanceof Refusal;
    if (isTold || (await holdsLease(db, uploadId, writer).catch(() => true))) throw error;
    throw busy();
  } finally {
    clearInterval(renewal);
    if (!isAnothers) await freeLease(db, uploadId, writer).catch(() => {});
  }
}

/**
 * An upload without a row needs no lease; the work will find that it is missing.
 * @returns whether the one who had it before has not freed it
 */
async function take(db: Db, uploadId: string, writer: string): Promise<boolean> {
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const taken = await takeLease(db, uploadId, writer);
    if (taken !== 'HELD') return taken === 'UNFREED';
    await sleep(waitMs);
  }
  throw busy();
}

/** Makes the fault for a request whose upload another request has, or has taken from it. */
export const busy = (): UploadFault =>
  new UploadFault('UPLOAD_BUSY', 'Another request for this upload has not ended yet');
