/** `npm run test:soak` says so: it takes every case, and takes its time. */
export const soaking = process.env.SOAK === '1';

/**
 * All cases when soaking; else the first of them and every so-manieth after it, as `npm test` takes some of
 * each kind.
 */
export const sampled = <T>(cases: readonly T[], every: number): T[] =>
  cases.filter((_, n) => soaking || n % every === 0);
