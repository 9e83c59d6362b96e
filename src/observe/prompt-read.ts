/** Milliseconds that a result is cached, and the most that a call waits. */
const rememberedMs = 1000;
const answerWithinMs = 2000;

/**
 * Makes a read for monitoring, which may be called often, and whose caller gives up after a few seconds. It
 * runs one read at a time, and caches its result, or the error, for a second.
 * @returns a function that rejects when the read fails or takes longer than 2 s
 */
export function createPromptRead<T>(read: () => Promise<T>): () => Promise<T> {
  let last: Promise<T> | undefined;
  let running: Promise<T> | undefined;
  return () => {
    if (last !== undefined) return last;
    // A read that is late still runs: later calls wait for its result.
    running ??= read().finally(() => (running = undefined));
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(late.reject, answerWithinMs, new Error('no answer'));
    last = Promise.race([running, late.promise]).finally(() => {
      clearTimeout(timer);
      setTimeout(() => (last = undefined), rememberedMs).unref();
    });
    return last;
  };
}
