import { expect, test } from 'vitest';
import { createFairQueue } from '../../src/auth/fair-queue.ts';
import { Unavailable } from '../../src/platform/errors.ts';
import { turn } from '../support/eventually.ts';

test('so many hash, so many wait in turn, and whoever comes then is told to come again', async () => {
  const queue = createFairQueue({ concurrency: 2, waiting: 3 });
  let running = 0;
  let most = 0;
  const finished: number[] = [];
  const hash = async (name: number) => {
    running += 1;
    most = Math.max(most, running);
    await turn();
    running -= 1;
    finished.push(name);
    if (name === 1) throw new Error('a hash that fails');
    return name;
  };
  const outcomes = await Promise.allSettled(
    [0, 1, 2, 3, 4, 5, 6].map((name) => queue.run('a', () => hash(name))),
  );
  expect(most).toBe(2);
  expect(finished).toEqual([0, 1, 2, 3, 4]);
  const reasons = outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason : undefined));
  expect(reasons[1]?.message).toBe('a hash that fails');
  expect(reasons.slice(5)).toEqual([expect.any(Unavailable), expect.any(Unavailable)]);
  // The failed job and the refused ones have freed their places.
  expect(await Promise.all([7, 8, 9, 10, 11].map((name) => queue.run('a', () => hash(name))))).toHaveLength(
    5,
  );
});

test('a party that fills the queue gives way to others, and everybody takes turns', async () => {
  const queue = createFairQueue({ concurrency: 1, waiting: 4 });
  const order: string[] = [];
  const gate = Promise.withResolvers<void>();
  const ask = (party: string, name: string) =>
    queue.run(party, async () => {
      await gate.promise;
      order.push(name);
    });
  const greedy = ['a1', 'a2', 'a3', 'a4', 'a5', 'a6'].map((name) => ask('a', name));
  const others = [ask('b', 'b1'), ask('c', 'c1'), ask('b', 'b2')];
  const all = Promise.allSettled([...greedy, ...others]);
  gate.resolve();
  const outcomes = (await all).map(({ status }) => status === 'fulfilled');
  // The sixth found no room; the fifth and the fourth made room for b and c. A second job of b has no
  // priority over a's second.
  expect(outcomes).toEqual([true, true, true, false, false, false, true, true, false]);
  expect(order).toEqual(['a1', 'a2', 'b1', 'c1', 'a3']);
});
