import { expect, test } from 'vitest';
import { createFeeds } from '../../src/events/feeds.ts';
import type { EventHub } from '../../src/events/hub.ts';
import type { Page } from '../../src/events/recent-events.ts';

/* A thousand tickets may change in the same moment. */

const count = 250;
const atOnce = 100;

const turn = () => new Promise((resolve) => setImmediate(resolve));
const turns = async () => {
  for (let n = 0; n < 10; n += 1) await turn();
};

/** Feeds of numbers, each with one watcher. A read ends when its `end` is called. */
async function openFeeds() {
  const notify: (() => void)[] = [];
  const hub: Pick<EventHub, 'ending' | 'watch' | 'listening'> = {
    ending: new AbortController().signal,
    watch(ticketId, notified) {
      notify[ticketId] = notified;
      return { [Symbol.dispose]: () => {} };
    },
    listening: async () => {},
  };
  const feeds = createFeeds(hub as EventHub);
  const last = Array.from({ length: count }, () => 0);
  const reads: { readonly ticketId: number; readonly end: () => void }[] = [];
  let areHeld = false;
  const read = async (ticketId: number, after: number): Promise<Page<number, number>> => {
    const held = Promise.withResolvers<void>();
    if (areHeld) reads.push({ ticketId, end: held.resolve });
    else held.resolve();
    const reached = last[ticketId]!;
    await held.promise;
    return { events: after < reached ? [reached] : [], reached, more: false };
  };
  const woken = Array.from({ length: count }, () => 0);
  for (let ticketId = 0; ticketId < count; ticketId += 1) {
    const watching = await feeds.watch(
      {
        ...{ key: `${ticketId}`, ticketId, read: (after: number) => read(ticketId, after) },
        ...{ positionOf: (n: number) => n, isBefore: (a: number, b: number) => a < b },
      },
      () => (woken[ticketId]! += 1),
    );
    await watching.next(0);
  }
  areHeld = true;
  const change = (ticketId: number) => {
    last[ticketId]! += 1;
    notify[ticketId]!();
  };
  return { change, reads, woken };
}

test('a hundred lists are read at the same time, the others when those were read and told of', async () => {
  const { change, reads, woken } = await openFeeds();
  for (let ticketId = 0; ticketId < count; ticketId += 1) change(ticketId);
  await turns();
  expect(reads).toHaveLength(atOnce);
  for (const { end } of reads.slice(0, 30)) end();
  await turns();
  expect(woken.filter((times) => times === 1)).toHaveLength(30);
  expect(reads).toHaveLength(atOnce + 30);
  for (let ended = 30; ended < reads.length; ended += 1) {
    reads[ended]!.end();
    await turn();
  }
  await turns();
  expect(reads.map(({ ticketId }) => ticketId)).toEqual(Array.from({ length: count }, (_, n) => n));
  expect(woken).toEqual(woken.map(() => 1));
});

test('lists that change all the time do not keep others from being read', async () => {
  const { change, reads, woken } = await openFeeds();
  for (let ticketId = 0; ticketId <= atOnce; ticketId += 1) change(ticketId);
  await turns();
  // While they are read, all but the last change again.
  for (let ticketId = 0; ticketId < atOnce; ticketId += 1) change(ticketId);
  for (const { end } of [...reads]) end();
  await turns();
  expect(reads[atOnce]!.ticketId).toBe(atOnce);
  for (const { end } of [...reads]) end();
  await turns();
  expect(woken[atOnce]).toBe(1);
});

test('one who leaves a second time takes nothing from those who came meanwhile', async () => {
  const watchers = new Set<() => void>();
  const hub: Pick<EventHub, 'ending' | 'watch' | 'listening'> = {
    ending: new AbortController().signal,
    watch(_ticketId, notified) {
      watchers.add(notified);
      return { [Symbol.dispose]: () => void watchers.delete(notified) };
    },
    listening: async () => {},
  };
  const feeds = createFeeds(hub as EventHub);
  const of = {
    ...{ key: 'one', ticketId: 1, positionOf: (n: number) => n, isBefore: (a: number, b: number) => a < b },
    read: async (after: number): Promise<Page<number, number>> => ({
      events: [],
      reached: after,
      more: false,
    }),
  };
  const first = await feeds.watch(of, () => {});
  first[Symbol.dispose]();
  await feeds.watch(of, () => {});
  first[Symbol.dispose]();
  expect(watchers.size).toBe(1);
});
