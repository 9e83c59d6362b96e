import type { Db } from '../db/database.ts';
import type { Logger } from '../log.ts';
import type { BlobStore } from './blob-store.ts';
import { collectGarbage } from './collect.ts';

/** Milliseconds between two collections. */
const everyMs = 15 * 60_000;
/** Longer than any request may take: what is younger may be waiting for its commit. */
const spareMs = 60 * 60_000;
/** Blobs are looked through in parts, by how their keys begin: a large desk has millions of them, and next to none is garbage. */
const parts = '0123456789abcdef';

/** The part whose turn it is: by the clock, so that each has its turn however often processes are started anew. */
export const partAt = (ms: number): string => parts[Math.floor(ms / everyMs) % parts.length]!;

/** Collects now and then for as long as the process lives. */
export function startCollecting(db: Db, blobs: BlobStore, log: Logger): AsyncDisposable {
  let running = collect();
  const timer = setInterval(() => (running = collect()), everyMs).unref();

  async function collect(): Promise<void> {
    try {
      const olderThan = new Date(Date.now() - spareMs);
      const collected = await collectGarbage(db, blobs, olderThan, partAt(Date.now()));
      if (Object.values(collected).some((count) => count > 0))
        log.info(collected, 'collected what nothing refers to, or has had its time');
    } catch (error) {
      log.warn({ err: error }, 'could not collect; it is tried again');
    }
  }

  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await running;
    },
  };
}
