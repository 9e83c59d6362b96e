import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createHashingQueue } from '../../src/auth/hashing-queue.ts';
import { Unavailable } from '../../src/errors.ts';

test('so many hash, so many wait in turn, and whoever comes then is told to come again', async () => {
  const queue = createHashingQueue({ concurrency: 2, waiting: 3 });
  let running = 0;
  let most = 0;
  const finished: number[] = [];
  const hash = async (name: number) => {
    running += 1;
    most = Math.max(most, running);
    await sleep(5);
    running -= 1;
    finished.push(name);
    if (name === 1) throw new Error('a hash that fails');
    return name;
  };
  const outcomes = await Promise.allSettled([0, 1, 2, 3, 4, 5, 6].map((name) => queue.run(() => hash(name))));
  expect(most).toBe(2);
  expect(finished).toEqual([0, 1, 2, 3, 4]);
  const reasons = outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason : undefined));
  expect(reasons[1]?.message).toBe('a hash that fails');
  expect(reasons.slice(5)).toEqual([expect.any(Unavailable), expect.any(Unavailable)]);
  // The failed one and the refused ones have given their places back.
  expect(await Promise.all([7, 8, 9, 10, 11].map((name) => queue.run(() => hash(name))))).toHaveLength(5);
});
