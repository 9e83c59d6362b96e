import { Unavailable } from '../platform/errors.ts';

/**
 * Runs a limited number of jobs concurrently, queues a limited number, and shares its slots fairly among
 * parties. A party is the IP address that a sign-in comes from, or the IPv6 network of a customer.
 */
export interface FairQueue {
  /**
   * Runs a job when a slot is free, at once if one is.
   * @param party the owner of the job: parties take turns, however many jobs each has queued
   * @returns resolves with the job's result, or rejects with its error
   * @throws Unavailable at once, if the queue is full and no other party has queued at least two more jobs
   *   than this one; or later, if this job is removed from the queue to make room for another party's. A job
   *   that has started is never stopped
   */
  run<T>(party: string, job: () => Promise<T>): Promise<T>;
}

interface QueuedJob {
  readonly start: () => void;
  readonly giveUp: () => void;
}

/**
 * Creates a queue. When it is full, the party with the most queued jobs loses its last one to a party that
 * has at least two fewer, so that no party can block the others. The defaults suit the hashing of passwords:
 * two concurrent hashes leave two of libuv's four threads for files and DNS, and at 170 ms for each hash, a
 * full queue is processed in 11 s.
 * @param limits `concurrency`: most jobs that run at a time, 2 by default; `waiting`: most jobs that are
 *   queued, 128 by default
 */
export function createFairQueue({ concurrency = 2, waiting = 128 } = {}): FairQueue {
  /** In the order of their turns: a party that was served goes to the end. */
  const parties = new Map<string, QueuedJob[]>();
  let running = 0;
  let length = 0;

  function makeRoom(party: string): void {
    if (length < waiting) return;
    const own = parties.get(party)?.length ?? 0;
    let most = own + 1;
    let from: QueuedJob[] | undefined;
    for (const jobs of parties.values()) {
      if (jobs.length > most) [most, from] = [jobs.length, jobs];
    }
    if (from === undefined) throw tooMany();
    length -= 1;
    from.pop()!.giveUp();
  }

  function wait(party: string): Promise<void> {
    makeRoom(party);
    return new Promise((start, reject) => {
      const jobs = parties.get(party) ?? [];
      jobs.push({ start, giveUp: () => reject(tooMany()) });
      parties.set(party, jobs);
      length += 1;
    });
  }

  /** A finished job passes its slot on, so `running` does not change while jobs are queued. */
  function leave(): void {
    const [next] = parties;
    if (next === undefined) {
      running -= 1;
      return;
    }
    const [party, jobs] = next;
    parties.delete(party);
    const job = jobs.shift()!;
    if (jobs.length > 0) parties.set(party, jobs);
    length -= 1;
    job.start();
  }

  return {
    async run(party, job) {
      if (running < concurrency) running += 1;
      else await wait(party);
      try {
        return await job();
      } finally {
        leave();
      }
    },
  };
}

const tooMany = () => new Unavailable('Too many sign-ins at once', 5, { nothingWritten: true });
