import { Unavailable } from '../errors.ts';

/** Runs a bounded number of hashes at a time, and lets a bounded number wait. */
export interface HashingQueue {
  /** @throws Unavailable when too many wait already. */
  run<T>(hash: () => Promise<T>): Promise<T>;
}

/**
 * Two at a time leave half of libuv's four threads to files and DNS; at 170 ms each, 128 that wait are answered in 11 s.
 */
export function createHashingQueue({ concurrency = 2, waiting = 128 } = {}): HashingQueue {
  const queue: (() => void)[] = [];
  let running = 0;

  async function slot(): Promise<void> {
    if (running < concurrency) {
      running += 1;
      return;
    }
    if (queue.length >= waiting) throw new Unavailable('Too many sign-ins at once', 5);
    // Whoever leaves hands the slot on, so `running` stays as it is.
    await new Promise<void>((resolve) => queue.push(resolve));
  }
  function leave(): void {
    const next = queue.shift();
    if (next !== undefined) next();
    else running -= 1;
  }
  return {
    async run(hash) {
      await slot();
      try {
        return await hash();
      } finally {
        leave();
      }
    },
  };
}
