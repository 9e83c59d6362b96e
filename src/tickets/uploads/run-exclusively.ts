import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import type { Db } from '../../db/database.ts';
import { UploadFault } from './fault.ts';
import { freeLease, renewLease, takeLease } from './lease.ts';

/*
 * Requests for one unfinished upload run one at a time. A later request ends the earlier one, which its
 * client has given up: directly within a process, and through the row's `wanted` flag across processes
 * (`lease.ts`).
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
 * @throws UploadFault UPLOAD_BUSY when a later request overtook this one, or another process keeps the lease.
 *   The work has not begun then
 */
export async function runExclusively<T>(
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
    return await work();
  } finally {
    clearInterval(renewal);
    await freeLease(db, uploadId, writer).catch(() => {});
  }
}

/** An upload without a row needs no lease; the work will find that it is missing. */
async function take(db: Db, uploadId: string, writer: string): Promise<void> {
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    if (await takeLease(db, uploadId, writer)) return;
    await sleep(waitMs);
  }
  throw busy();
}

const busy = (): UploadFault =>
  new UploadFault('UPLOAD_BUSY', 'Another request for this upload has not ended yet');
