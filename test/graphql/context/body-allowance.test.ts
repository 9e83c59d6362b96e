import { expect, test } from 'vitest';
import { BodyAllowance } from '../../../src/graphql/context/body-allowance.ts';
import { ResponseTooLarge } from '../../../src/platform/errors.ts';

test('texts are made one after the other, and none once the answer is full', async () => {
  const allowance = new BodyAllowance(100);
  let underWay = 0;
  let most = 0;
  let made = 0;
  const make = async () => {
    underWay += 1;
    most = Math.max(most, underWay);
    await new Promise((resolve) => setImmediate(resolve));
    underWay -= 1;
    made += 1;
    return 'x'.repeat(40);
  };
  const settled = await Promise.allSettled(
    Array.from({ length: 50 }, () => allowance.inTurn(make, (text) => text.length)),
  );
  expect([made, most]).toEqual([3, 1]);
  const refused = settled.filter((one) => one.status === 'rejected');
  expect(refused.map(({ reason }) => reason)).toEqual(Array(47).fill(expect.any(ResponseTooLarge)));
});

test('a turn that fails lets the next one begin', async () => {
  const allowance = new BodyAllowance(100);
  const failing = allowance.inTurn(
    () => Promise.reject(new Error('no')),
    () => 0,
  );
  const next = allowance.inTurn(
    async () => 'made',
    () => 4,
  );
  expect(await Promise.allSettled([failing, next])).toMatchObject([
    { status: 'rejected' },
    { status: 'fulfilled', value: 'made' },
  ]);
});

test('what a statement does not bring of its loan goes back', async () => {
  const MiB = 1024 * 1024;
  const allowance = new BodyAllowance(100);
  const loans: number[] = [];
  const lend = (brought: number) =>
    allowance.lend(
      async (bytes) => loans.push(bytes),
      () => brought,
    );
  for (let n = 0; n < 10; n += 1) await lend(0);
  for (let n = 0; n < 5; n += 1) await lend(2 * MiB);
  expect(loans).toEqual([...Array(14).fill(2 * MiB), 0]);
});

test('a body counts two bytes a character when one is beyond Latin-1, as it takes in memory', () => {
  const read = (body: string) => () => {
    const allowance = new BodyAllowance(100);
    allowance.spend(1, Buffer.byteLength(body));
    allowance.spendOnMemory(1, body);
  };
  expect(read('y'.repeat(100))).not.toThrow();
  expect(read(`${'y'.repeat(48)}😀`)).not.toThrow();
  expect(read(`${'y'.repeat(49)}😀`)).toThrow(ResponseTooLarge);
});
