import { Unavailable } from '../platform/errors.ts';

/**
 * Runs a bounded number of jobs at a time, lets a bounded number wait, and shares its turns among the parties
 * that ask.
 */
export interface HashingQueue {
  /**
   * @param party whose job it is: parties take turns, however many jobs each of them brings
   * @throws Unavailable when too many wait already, and this party has no fewer of them than others
   */
  run<T>(party: string, hash: () => Promise<T>): Promise<T>;
}

interface Waiting {
  readonly start: () => void;
  readonly giveUp: () => void;
}

/**
 * Two at a time leave half of libuv's four threads to files and DNS; at 170 ms each, 128 that wait are
 * answered in 11 s. When it is full, whoever has the most jobs in it gives up the last of them for one who
 * has fewer, so that nobody fills it for the others.
 */
export function createHashingQueue({ concurrency = 2, waiting = 128 } = {}): HashingQueue {
  /** In the order of their turns: who was served goes to the end. */
  const parties = new Map<string, Waiting[]>();
  let running = 0;
  let length = 0;

  function makeRoom(party: string): void {
    if (length < waiting) return;
    const own = parties.get(party)?.length ?? 0;
    let most = own + 1;
    let from: Waiting[] | undefined;
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

  /** Whoever leaves hands the slot on, so `running` stays as it is while somebody waits. */
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
    async run(party, hash) {
      if (running < concurrency) running += 1;
      else await wait(party);
      try {
        return await hash();
      } finally {
        leave();
      }
    },
  };
}

const tooMany = () => new Unavailable('Too many sign-ins at once', 5, { nothingWritten: true });
