import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type CallInTurns, Feed } from '../../src/events/feed.ts';
import type { Page } from '../../src/events/recent-events.ts';

/* Ten thousand watchers take seconds to receive what happened in a moment. */

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const callAll: CallInTurns = async (calls) => {
  for (const call of calls) call();
};

/** A feed of numbers, whose list grows by `append`. @param callInTurns how its watchers are woken */
function createFeed(callInTurns = callAll) {
  const list: number[] = [];
  let reads = 0;
  const read = async (after: number): Promise<Page<number, number>> => {
    reads += 1;
    const events = list.filter((n) => n > after);
    await undefined;
    return { events, reached: events.at(-1) ?? after, more: false };
  };
  const ports = { read, positionOf: (n: number) => n, isBefore: (a: number, b: number) => a < b };
  const feed = new Feed(ports, callInTurns);
  return {
    feed,
    list,
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
  for (let n = 0; n < 20; n += 1) feed.join(() => {});
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

test('what all watchers have taken is forgotten at once', async () => {
  const { feed, append, readsOf } = createFeed();
  for (let n = 0; n < 2; n += 1) feed.join(() => {});
  await feed.after(0);
  await append(1, 2);
  for (let n = 0; n < 3; n += 1) expect((await feed.after(0)).events).toEqual([1, 2]);
  expect(readsOf()).toBe(2);
  // One who has come back since.
  expect((await feed.after(0)).events).toEqual([1, 2]);
  expect(readsOf()).toBe(3);
});

test('what nobody takes any more is forgotten, although later events are taken all the time', async () => {
  const { feed, append, readsOf } = createFeed();
  await feed.after(0);
  // One who takes nothing.
  feed.join(() => {});
  for (let n = 1; n <= 20; n += 1) {
    await append(n);
    expect((await feed.after(n - 1)).events).toEqual([n]);
    vi.advanceTimersByTime(500);
  }
  expect(readsOf()).toBe(21);
  expect((await feed.after(18)).events).toEqual([19, 20]);
  expect(readsOf()).toBe(21);
  expect((await feed.after(10)).events).toHaveLength(10);
  expect(readsOf()).toBe(22);
});

test('nothing is forgotten before every watcher was woken, however long that takes', async () => {
  const rest = Promise.withResolvers<void>();
  // A machine so busy that it wakes the first watcher at once, and the others much later.
  const { feed, append, readsOf } = createFeed(async (calls) => {
    const [first, ...others] = calls;
    first?.();
    await rest.promise;
    for (const call of others) call();
  });
  await feed.after(0);
  await append(1, 2);
  vi.advanceTimersByTime(60_000);
  expect((await feed.after(0)).events).toEqual([1, 2]);
  expect(readsOf()).toBe(2);
  rest.resolve();
});

test('those who are behind at the same place share one read and its events', async () => {
  const { feed, list, readsOf } = createFeed();
  list.push(...Array.from({ length: 50 }, (_, n) => n + 1));
  await feed.after(50);
  const pages = await Promise.all(Array.from({ length: 1000 }, () => feed.after(7)));
  expect(readsOf()).toBe(2);
  expect(new Set(pages.map(({ events }) => events)).size).toBe(1);
  expect(pages[0]!.events).toHaveLength(43);
});

test('a read that began before a notification does not answer those who come after it', async () => {
  const { feed, list } = createFeed();
  list.push(1, 2);
  await feed.after(2);
  const before = feed.after(0);
  list.push(3);
  feed.notify();
  const after = feed.after(0);
  expect((await before).events).toEqual([1, 2]);
  expect((await after).events).toEqual([1, 2, 3]);
});

test('what one watcher has missed is not read again for those who missed as much or less', async () => {
  const { feed, list, readsOf } = createFeed();
  for (let n = 0; n < 5; n += 1) feed.join(() => {});
  list.push(1, 2, 3, 4, 5);
  await feed.after(0);
  await feed.after(5);
  const reads = readsOf();
  for (const position of [0, 1, 4]) {
    const page = await feed.after(position);
    expect(page).toMatchObject({ events: list.slice(position), reached: 5 });
  }
  expect(readsOf()).toBe(reads);
});

test('one who left while the news was read takes nothing from those who stay', async () => {
  const { feed, list } = createFeed();
  const [leaving, staying] = [() => {}, () => {}];
  for (const wake of [leaving, staying]) feed.join(wake);
  await feed.after(0);
  list.push(1, 2);
  feed.notify();
  const pages = [feed.after(0), feed.after(0)];
  feed.leave(leaving);
  for (const page of pages) expect(await page).toMatchObject({ events: [1, 2], reached: 2 });
});

test('one who came back while the news was read takes nothing from the others', async () => {
  const { feed, list } = createFeed();
  for (let n = 0; n < 2; n += 1) feed.join(() => {});
  await feed.after(0);
  list.push(1, 2);
  feed.notify();
  const pages = Array.from({ length: 5 }, () => feed.after(0));
  for (const page of pages) expect(await page).toMatchObject({ events: [1, 2], reached: 2 });
});

test('news that is more than what is kept reaches those who waited for it as a whole', async () => {
  const { feed, list } = createFeed();
  for (let n = 0; n < 2; n += 1) feed.join(() => {});
  await feed.after(0);
  list.push(...Array.from({ length: 300 }, (_, n) => n + 1));
  feed.notify();
  const pages = [feed.after(0), feed.after(0)];
  for (const page of pages) expect((await page).events).toEqual(list);
});
