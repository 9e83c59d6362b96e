import { RateLimiterMemory } from 'rate-limiter-flexible';

/** Milliseconds of a window. It begins with its first call. */
export const windowMs = 60_000;

/** The calls of a window that is not over, and how long it lasts. */
export interface OpenWindow {
  readonly calls: number;
  readonly msLeft: number;
}

/** Counts calls in windows of a minute. */
export interface Counters {
  /**
   * Counts a call.
   * @param most allowed in a window; how far a caller is beyond it need not be counted
   */
  add(key: string, most: number): Promise<OpenWindow>;
  /** The key's window, without counting; undefined: it has none. */
  read(key: string): Promise<OpenWindow | undefined>;
}

/** Counts in this process. */
export function countInMemory(): Counters {
  // Rejects nothing: whoever counts knows the limit.
  const limiter = new RateLimiterMemory({ points: Number.MAX_SAFE_INTEGER, duration: windowMs / 1000 });
  // The library tells what is left by the machine's clock, which may be set back.
  // It ends a window by a timer.
  const windowOf = ({ consumedPoints, msBeforeNext }: { consumedPoints: number; msBeforeNext: number }) => ({
    calls: consumedPoints,
    msLeft: Math.min(msBeforeNext, windowMs),
  });
  return {
    add: async (key) => windowOf(await limiter.consume(key)),
    async read(key) {
      const found = await limiter.get(key);
      return found === null || found.msBeforeNext <= 0 ? undefined : windowOf(found);
    },
  };
}
