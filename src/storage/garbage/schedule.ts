import { setTimeout as sleep } from 'node:timers/promises';
import type { Db } from '../../db/database.ts';
import type { Logger } from '../../platform/log.ts';
import type { BlobStore, KeyRange } from '../blob-store.ts';
import { collectGarbage, type KeepDays } from './collect.ts';
import { spareMs } from './stray-keys.ts';

/** Milliseconds between two collections. */
const everyMs = 15 * 60_000;
/** How long a shutdown waits for a running collection, milliseconds. */
const endWithinMs = 3000;
/**
 * Blobs are checked in parts, by the first digit of their keys: a large desk has millions of them, and
 * almost none is garbage.
 */
const parts = '0123456789abcdef';

/**
 * The part of the keys that is checked at this time: one of 16 parts, by the first hexadecimal digit. Each
 * has a turn of 15 minutes, which follows from the time alone. So every part is checked, however often
 * processes restart.
 * @param ms milliseconds since 1970
 */
export function partAt(ms: number): KeyRange {
  return partFrom(parts[Math.floor(ms / everyMs) % parts.length]!);
}

const partFrom = (from: string): KeyRange => ({ from, to: `${from}g` });

/**
 * The running schedule. Disposing of it stops it, and waits up to three seconds for a running collection. One
 * that takes longer is not aborted, so it may fail when the database is closed; a later one continues its
 * work.
 */
export interface CollectionSchedule extends AsyncDisposable {
  /**
   * Why unused files were left, as text for the operator: the reason of the last collection, else that of the
   * last one of any part. Undefined when there is none, and before the first collection ends.
   */
  why(): string | undefined;
}

/** What a schedule needs. */
export interface SchedulePorts {
  readonly db: Db;
  readonly blobs: BlobStore;
  readonly log: Logger;
  /** Undefined: inbox mails and audit entries are kept for ever. */
  readonly keepDays?: KeepDays | undefined;
  /** The database's clock. */
  readonly now: () => Date;
}

/**
 * Starts a loop that runs `collectGarbage` at once and then every 15 minutes, each time for the part of the
 * keys by `partAt`, one collection at a time: parts whose turn comes while one is running are collected after
 * it. Files younger than an hour are left alone. Failures are logged. Any number of processes may run it.
 */
export function startCollectionSchedule({
  db,
  blobs,
  log,
  keepDays,
  now,
}: SchedulePorts): CollectionSchedule {
  let off: string | undefined;
  /** By part, because each may have a different reason. */
  const unlikely = new Map<string, string>();
  /** Beginnings of the parts whose turn has come. Each waits once, however long a collection takes. */
  const due = new Set<string>();
  let running: Promise<void> | undefined;
  const begin = () => {
    due.add(partAt(Date.now()).from);
    running ??= collectDue().finally(() => {
      running = undefined;
    });
  };
  begin();
  const timer = setInterval(begin, everyMs).unref();

  async function collectDue(): Promise<void> {
    for (const from of due) {
      due.delete(from);
      await collect(partFrom(from));
    }
  }

  async function collect(range: KeyRange): Promise<void> {
    // Of two clocks the one that is behind: one that is ahead makes a file old that waits for its commit.
    const at = Math.min(now().getTime(), Date.now());
    try {
      const {
        off: why,
        unlikely: share,
        ...collected
      } = await collectGarbage(db, blobs, new Date(at - spareMs), { range, keepDays, now: new Date(at) });
      const reason = why ?? share;
      if (reason !== undefined && reason !== off && reason !== unlikely.get(range.from))
        log.error({ why: reason }, 'garbage collection skipped; run `ticketwire blobs verify` for details');
      off = why;
      unlikely.delete(range.from);
      if (share !== undefined) unlikely.set(range.from, share);
      if (Object.values(collected).some((count) => count > 0)) log.info(collected, 'garbage collected');
    } catch (error) {
      off = 'the last collection failed';
      log.warn({ err: error }, 'garbage collection failed, retrying');
    }
  }

  return {
    why: () => off ?? unlikely.values().next().value,
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      due.clear();
      // A later collection continues where this one stopped. A store that hangs must not hold up the
      // shutdown.
      await Promise.race([running, sleep(endWithinMs, undefined, { ref: false })]);
    },
  };
}
