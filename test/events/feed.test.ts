import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Feed, type Page } from '../../src/events/feed.ts';

/* Ten thousand watchers take seconds to receive what happened in a moment. */

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A feed of numbers, whose list grows by `append`. */
function createFeed() {
  const list: number[] = [];
  let reads = 0;
  const read = async (after: number): Promise<Page<number, number>> => {
    reads += 1;
    return { events: list.filter((n) => n > after), reached: list.at(-1) ?? 0, more: false };
  };
  const ports = { read, positionOf: (n: number) => n, isBefore: (a: number, b: number) => a < b };
  const feed = new Feed(ports, async (calls) => {
    for (const call of calls) call();
  });
  return {
    feed,
    readsOf: () => reads,
    async append(...numbers: number[]) {
      list.push(...numbers);
      const woken = new Promise<void>((resolve) => feed.join(resolve));
      feed.notify();
      await woken;
    },
  };
}

test('watchers who come late are given what was read, as long as others still take it', async () => {
  const { feed, append, readsOf } = createFeed();
  await feed.after(0);
  await append(1, 2, 3);
  for (let n = 0; n < 20; n += 1) {
    vi.advanceTimersByTime(900);
    expect((await feed.after(0)).events).toEqual([1, 2, 3]);
  }
  expect(readsOf()).toBe(2);
});

test('events that nobody takes any more are forgotten, and read by a watcher that late', async () => {
  const { feed, append, readsOf } = createFeed();
  await feed.after(0);
  await append(1, 2, 3);
  vi.advanceTimersByTime(3000);
  expect((await feed.after(0)).events).toEqual([1, 2, 3]);
  expect(readsOf()).toBe(3);
});
