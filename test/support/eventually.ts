// Clock: looks again a few milliseconds later, less and less often, until what was waited for has come.
import { setTimeout as sleep } from 'node:timers/promises';

/** A limit for what never happens; no test waits this long for anything else. */
const giveUpAfterMs = 120_000;

/**
 * Waits for something that can only be looked for.
 * @returns what the look found, once that is neither false nor nothing
 * @throws what `describe` says, when it does not come
 */
export async function eventually<T>(
  look: () => T | Promise<T>,
  describe: () => unknown = () => look.toString(),
): Promise<Exclude<T, false | null | undefined>> {
  const from = Date.now();
  for (let pause = 5; ; pause *= 1.2) {
    const found = await look();
    if (found !== false && found !== null && found !== undefined) return found as never;
    const waited = Date.now() - from;
    if (waited > giveUpAfterMs) throw new Error(`it did not come: ${JSON.stringify(describe())}`);
    // What takes seconds is looked for less often: each look costs some milliseconds of CPU.
    pause = Math.min(pause, Math.max(25, waited / 20));
    await sleep(pause);
  }
}

/** One turn of the event loop, in which everything that was ready has run. */
export const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
