import { expect, test } from 'vitest';
import { createBatcher } from '../../src/platform/batcher.ts';
import { turn } from '../support/eventually.ts';

for (const [atOnce, batches] of [
  [1, [[1], [2, 3]]],
  [2, [[1], [2], [3]]],
] as const)
  test(`calls that come while ${atOnce} under way wait and go together as the next`, async () => {
    const seen: (readonly number[])[] = [];
    const gate = Promise.withResolvers<void>();
    const double = createBatcher<number, number>(
      async (items) => {
        seen.push(items);
        await gate.promise;
        return items.map((item) => 2 * item);
      },
      { atOnce },
    );
    const answers = [double(1)];
    await turn();
    answers.push(double(2));
    await turn();
    answers.push(double(3));
    await turn();
    gate.resolve();
    expect(await Promise.all(answers)).toEqual([2, 4, 6]);
    expect(seen).toEqual(batches);
  });

test('a batch after a batch waits briefly for more calls, and one after a single call does not', async () => {
  const seen: (readonly number[])[] = [];
  const run = createBatcher<number, number>(
    async (items) => {
      seen.push(items);
      return items;
    },
    { gatherMilliseconds: 100 },
  );
  await run(1);
  await Promise.all([run(2), run(3)]);
  const gathered = [run(4)];
  await turn();
  gathered.push(run(5));
  await Promise.all(gathered);
  expect(seen).toEqual([[1], [2, 3], [4, 5]]);
});

test('a batch that fails fails its callers alone', async () => {
  const run = createBatcher<number, number>(
    async (items) => {
      if (items.includes(1)) throw new Error('no');
      return items;
    },
    { maxItems: 2 },
  );
  expect((await Promise.allSettled([run(1), run(2), run(3)])).map(({ status }) => status)).toEqual([
    'rejected',
    'rejected',
    'fulfilled',
  ]);
});

test('makes no batch heavier than it may be, and lets the heaviest item go by itself', async () => {
  const batches: number[][] = [];
  const call = createBatcher<number, number>(
    async (items) => {
      batches.push([...items]);
      return items;
    },
    { weigh: (item) => item, maxWeight: 10 },
  );
  expect(await Promise.all([4, 5, 6, 99, 1, 1].map(call))).toEqual([4, 5, 6, 99, 1, 1]);
  expect(batches).toEqual([[4, 5], [6], [99], [1, 1]]);
});
