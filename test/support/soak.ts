/** `npm run test:soak` says so: it takes every case, and takes its time. */
export const soaking = process.env.SOAK === '1';

/**
 * All cases when soaking. Otherwise the first one and every n-th after it, so that `npm test` runs some of
 * each kind.
 */
export const sampled = <T>(cases: readonly T[], every: number): T[] =>
  cases.filter((_, n) => soaking || n % every === 0);
