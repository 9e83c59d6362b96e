import { setTimeout as sleep } from 'node:timers/promises';
import type { Db } from '../../db/database.ts';
import type { Logger } from '../../platform/log.ts';
import type { BlobStore, KeyRange } from '../blob-store.ts';
import { collectGarbage } from './collect.ts';

/** Milliseconds between two collections. */
const everyMs = 15 * 60_000;
/** Longer than any request may take: what is younger may be waiting for its commit. */
const spareMs = 60 * 60_000;
/** Milliseconds that the process's end waits for a collection. */
const endWithinMs = 3000;
/**
 * Blobs are looked through in parts, by how their keys begin: a large desk has millions of them, and next to
 * none is garbage.
 */
const parts = '0123456789abcdef';

/**
 * The part whose turn it is: by the clock, so that each has its turn however often processes are started
 * anew.
 */
export function partAt(ms: number): KeyRange {
  const from = parts[Math.floor(ms / everyMs) % parts.length]!;
  return { from, to: `${from}g` };
}

export interface Collecting extends AsyncDisposable {
  /** Why files are not collected, or not all of them; undefined when all is well. */
  why(): string | undefined;
}

/** Collects now and then for as long as the process lives. */
export function startCollecting(db: Db, blobs: BlobStore, log: Logger, inboxDays?: number): Collecting {
  let off: string | undefined;
  /** By part, as each may have its own reason. */
  const unlikely = new Map<string, string>();
  let running = collect();
  const timer = setInterval(() => (running = collect()), everyMs).unref();

  async function collect(): Promise<void> {
    const range = partAt(Date.now());
    try {
      const {
        off: why,
        unlikely: share,
        ...collected
      } = await collectGarbage(db, blobs, new Date(Date.now() - spareMs), { range, inboxDays });
      const reason = why ?? share;
      if (reason !== undefined && reason !== off && reason !== unlikely.get(range.from))
        log.error({ why: reason }, 'files are not collected; `ticketwire blobs verify` tells more');
      off = why;
      unlikely.delete(range.from);
      if (share !== undefined) unlikely.set(range.from, share);
      if (Object.values(collected).some((count) => count > 0)) log.info(collected, 'garbage collected');
    } catch (error) {
      off = 'the last collection failed';
      log.warn({ err: error }, 'garbage collection failed; it is retried');
    }
  }

  return {
    why: () => off ?? unlikely.values().next().value,
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      // Whatever it is in the middle of, a later collection finds: a store that hangs must not hold up the
      // end.
      await Promise.race([running, sleep(endWithinMs, undefined, { ref: false })]);
    },
  };
}
