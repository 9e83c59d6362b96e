import { test } from 'vitest';

/** `npm run test:soak` says so: it takes every case, and takes its time. */
export const soaking = process.env.SOAK === '1';

/**
 * All cases when soaking. Otherwise the first one and every n-th after it, so that `npm test` runs some of
 * each kind.
 */
export const sampled = <T>(cases: readonly T[], every: number): T[] =>
  cases.filter((_, n) => soaking || n % every === 0);

/** A test that is the same for each kind of thing: `npm test` runs it for the chosen one alone. */
export const testOnce = (kind: string, chosen: string) => test.runIf(soaking || kind === chosen);
