import type { ScryptParameters } from '../../src/auth/scrypt.ts';

/**
 * For tests that sign in and are not about what it costs: a hash takes well under a millisecond, today's
 * takes 170.
 */
export const lowCost: ScryptParameters = { logN: 4, r: 8, p: 1 };
