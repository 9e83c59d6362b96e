import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { between, seeded } from '../crash/support/random.ts';
import { soaking } from '../support/soak.ts';
import { createWorld, GrowingList, type ListedEvent, microtasks, Visitor } from './feed-world.ts';

/* Whatever the order in which reads, notifications and watchers meet, nobody loses or repeats an event. */

// FEED_SEEDS tries more, from FEED_SEED on.
const firstSeed = Number(process.env.FEED_SEED ?? 1);
const seeds = Number(process.env.FEED_SEEDS ?? (soaking ? 60 : 25));

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate'] });
});
afterEach(() => void vi.useRealTimers());

/** Lets a moment pass: due timers, then some of what waits. */
async function pass(random: () => number): Promise<void> {
  vi.advanceTimersByTime(random() < 0.9 ? between(random, 0, 8) : between(random, 100, 1200));
  await microtasks(between(random, 0, 12));
}

/** Lets time pass until it is so, or for minutes. */
async function until(isSo: () => boolean): Promise<void> {
  for (let n = 0; n < 2000 && !isSo(); n += 1) {
    vi.advanceTimersByTime(n < 50 ? 5 : 100);
    await microtasks(20);
  }
}

/** Lists and watchers of chance, until all are told all. */
async function live(seed: number): Promise<void> {
  const random = seeded(seed);
  const { feeds, commit, stop } = createWorld(random);
  const lists = Array.from({ length: between(random, 1, 3) }, (_, n) => new GrowingList(`${n}`, random));
  const anyOf = <T>(all: readonly T[]): T | undefined => all[between(random, 0, all.length - 1)];
  const staying: Promise<void>[] = [];
  let visitors: Visitor[] = [];
  const positions = (events: readonly ListedEvent[]) => events.map(({ at }) => at[0]);
  /** Nothing is announced meanwhile. */
  async function expectAllTold(): Promise<void> {
    await until(() => visitors.every(({ seen, expected }) => seen.length === expected.length));
    for (const { seen, expected } of visitors)
      expect(positions(seen), `seed ${seed}`).toEqual(positions(expected));
  }
  const steps = between(random, 5, 100);
  for (let n = 0; n < steps; n += 1) {
    const list = anyOf(lists)!;
    const what = random();
    if (what < 0.3) void commit(list, random() < 0.03 ? 230 : between(random, 0, 4));
    else if (what < 0.34) list.hold();
    else if (what < 0.4) list.free();
    else if (what < 0.55 && visitors.length < 12) {
      const visitor = new Visitor(list, feeds, random);
      visitors.push(visitor);
      staying.push(visitor.stay());
    } else if (what < 0.65) void anyOf(visitors)?.leave(random() < 0.4);
    visitors = visitors.filter(({ isGone }) => !isGone);
    if (random() < 0.7) await pass(random);
    // For a while nothing is written: what was, must not wait for what will be.
    if (random() < 0.05) await expectAllTold();
  }
  // Nothing is announced any more, and no read fails.
  for (const list of lists) {
    list.free();
    list.mayFail = false;
  }
  await expectAllTold();
  for (const visitor of visitors) visitor.isGone = true;
  stop();
  let left = staying.length;
  for (const one of staying) void one.then(() => (left -= 1));
  await until(() => left === 0);
  expect(left, `those who do not end, seed ${seed}`).toBe(0);
}

test('each watcher who stays sees each event after its position, once and in order', async () => {
  for (let seed = firstSeed; seed < firstSeed + seeds; seed += 1) await live(seed);
});
