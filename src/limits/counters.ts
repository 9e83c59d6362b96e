import { RateLimiterMemory } from 'rate-limiter-flexible';

/** Milliseconds of a window. It begins with its first call. */
export const windowMs = 60_000;

/** The calls counted in a window so far, and the milliseconds until it ends. */
export interface OpenWindow {
  readonly calls: number;
  readonly msLeft: number;
}

/** Counts calls by key, in windows of a minute. A counter only counts: the caller compares with the limit. */
export interface Counters {
  /**
   * Counts a call, and begins a window if the key has none.
   * @param max allowed in a window; calls beyond it need not be counted exactly
   * @returns the window with this call
   */
  add(key: string, max: number): Promise<OpenWindow>;
  /** The key's window, without counting; undefined when none is open. */
  read(key: string): Promise<OpenWindow | undefined>;
}

/** Creates counters in the memory of this process. They never reject. */
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
