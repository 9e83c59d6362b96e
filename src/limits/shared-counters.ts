import { LRUCache } from 'lru-cache';
import { type Counters, type OpenWindow, windowMs } from './counters.ts';

/** Runs a statement. */
export type Query = (text: string, values: readonly unknown[]) => Promise<readonly object[]>;

/** Callers over their limits that are refused without a statement. */
const maxRefused = 10_000;

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
 * Counts in the database, for all processes and by its clock. A caller over the limit is refused from memory
 * until the window ends. The garbage collector deletes old rows.
 * @param otherwise counts while the database is unavailable
 */
export function countInDatabase(query: Query, otherwise: Counters): Counters {
  // By size, as `max` would reserve memory for all of them. It measures time by the monotonic clock.
  const refused = new LRUCache<string, OpenWindow>({ maxSize: maxRefused, sizeCalculation: () => 1 });
  return {
    async add(key, most) {
      const over = refused.get(key);
      if (over !== undefined) return { ...over, msLeft: refused.getRemainingTTL(key) };
      try {
        const [window] = (await query(add, [key])) as [OpenWindow];
        if (window.calls > most) refused.set(key, window, { ttl: Math.max(1, window.msLeft) });
        return window;
      } catch {
        return otherwise.add(key, most);
      }
    },
    async read(key) {
      try {
        const [window] = (await query(read, [key])) as OpenWindow[];
        return window;
      } catch {
        return otherwise.read(key);
      }
    },
  };
}
