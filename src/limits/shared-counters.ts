import { setTimeout as sleep } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import { type Counters, type OpenWindow, windowMs } from './counters.ts';

/** Runs a statement with its values for `$1`, …, and returns the rows. */
export type Query = (text: string, values: readonly unknown[]) => Promise<readonly object[]>;

/** Most callers over their limits to remember. */
const maxRefused = 10_000;

/** Milliseconds for the database to count a call. Then memory counts it, so that requests are not held up. */
const timeoutMs = 1000;
/** For how long calls are counted in memory after the database has not answered, milliseconds. */
const restMs = 1000;

const clock = '(extract(epoch from clock_timestamp()) * 1000)::int8';
// A window that ends later than a minute from now was opened before the clock was set back: it is over.
const isOpen = `w.expire > ${clock} and w.expire <= ${clock} + ${windowMs}`;
const found = `w.points as calls, greatest(0, w.expire - ${clock})::int4 as "msLeft"`;
// clock_timestamp(), unlike now(), is read after the row has been locked: windows of concurrent calls agree.
const add = `
  insert into rate_limits as w (key, points, expire) values ($1, 1, ${clock} + ${windowMs})
  on conflict (key) do update set
    points = case when ${isOpen} then w.points + 1 else 1 end,
    expire = case when ${isOpen} then w.expire else ${clock} + ${windowMs} end
  returning ${found}`;
const read = `select ${found} from rate_limits w where key = $1 and ${isOpen}`;

/**
 * Creates counters in the database, for all processes and by its clock. The window of a caller over the limit
 * is answered from memory until it ends. Faults of the database never reach the caller, nor do they hold it
 * up for more than a second. The garbage collector deletes old rows.
 * @param fallback counts, for this process alone, when the database fails or does not answer within a second,
 *   and for a second after that
 */
export function countInDatabase(query: Query, fallback: Counters): Counters {
  // Bounded by `maxSize`, because `max` reserves the memory at once. The cache uses the monotonic clock.
  const refused = new LRUCache<string, OpenWindow>({ maxSize: maxRefused, sizeCalculation: () => 1 });
  let restsUntil = 0;

  async function fromDatabaseOr<T>(text: string, key: string, instead: () => Promise<T>): Promise<T> {
    if (performance.now() < restsUntil) return instead();
    try {
      const [window] = await inTime(query(text, [key]));
      return window as T;
    } catch {
      restsUntil = performance.now() + restMs;
      return instead();
    }
  }

  return {
    async add(key, max) {
      const over = refused.get(key);
      if (over !== undefined) return { ...over, msLeft: refused.getRemainingTTL(key) };
      const window = await fromDatabaseOr(add, key, () => fallback.add(key, max));
      if (window.calls > max) refused.set(key, window, { ttl: Math.max(1, window.msLeft) });
      return window;
    },
    read: (key) => fromDatabaseOr(read, key, () => fallback.read(key)),
  };
}

/** @throws Error when the work takes too long. The work goes on, and its outcome is ignored. */
async function inTime<T>(work: Promise<T>): Promise<T> {
  const ended = new AbortController();
  const late = sleep(timeoutMs, undefined, { ref: false, signal: ended.signal });
  try {
    return await Promise.race([
      work,
      late.then(() => Promise.reject(new Error('The database took too long to count a call'))),
    ]);
  } finally {
    ended.abort();
  }
}
