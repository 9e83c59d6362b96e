import { afterEach, expect, test, vi } from 'vitest';
import { createClock } from '../../../src/db/synchronized-clock.ts';
import { partAt, startCollectionSchedule } from '../../../src/storage/garbage/schedule.ts';
import { Canary } from '../../support/observed/canary.ts';
import { createDeskFiles, type DeskFiles, hours } from '../desk-files.ts';
import { all, keysOf } from '../stores.ts';

/* Files while a clock is wrong: the machine's, or the database's. */

afterEach(() => vi.useRealTimers());

const yearMs = 365 * 86_400_000;
const dayOf = (daysAgo: number) =>
  hours(24 * daysAgo)
    .toISOString()
    .slice(0, 10);

/** Collects every part of the keys once, as a process does whose machine's clock is so far off. */
async function collectAll({ world, store }: DeskFiles, offMs: number, databaseOffMs: number): Promise<void> {
  const { log } = new Canary();
  using clock = await createClock(world.database.raw, log);
  const now = () => new Date(clock.now().getTime() + databaseOffMs);
  const from = Date.now() + offMs - 4 * 3_600_000;
  const parts = new Set<string>();
  for (let turn = 0; parts.size < 16; turn += 1) {
    vi.useFakeTimers({ toFake: ['Date'], now: from + turn * 15 * 60_000 });
    parts.add(partAt(Date.now()).from);
    await using schedule = startCollectionSchedule({ db: world.database.desk, blobs: store, log, now });
    expect(schedule.why()).toBeUndefined();
  }
  vi.useRealTimers();
}

test.each([
  ['the machine’s a year ahead', yearMs, 0],
  ['the database’s a year ahead', 0, yearMs],
])('young files stay, and what was set aside stays for a week: %s', async (_name, offMs, databaseOffMs) => {
  await using files = await createDeskFiles('disk');
  const { store, place, blobOf } = files;
  const waiting = await blobOf(0, { row: false });
  const committed = await blobOf(0);
  const deleted = await blobOf(0, { row: false });
  await store.setAside(deleted.key);
  const [aside] = await all(store.listAside());
  await place.moveAside(aside!.day, dayOf(2));
  await collectAll(files, offMs, databaseOffMs);
  expect((await keysOf(store)).sort()).toEqual([waiting.key, committed.key].sort());
  expect(await all(store.listAside())).toEqual([{ ...aside, day: dayOf(2) }]);
});

test('with right clocks old files go, and what was set aside for over a week', async () => {
  await using files = await createDeskFiles('disk');
  const { store, place, blobOf, attach } = files;
  const attached = await blobOf(48);
  await attach(attached);
  const stray = await blobOf(48, { row: false });
  const deleted = await blobOf(48, { row: false });
  await store.setAside(deleted.key);
  const [aside] = await all(store.listAside());
  await place.moveAside(aside!.day, dayOf(9));
  await collectAll(files, 0, 0);
  expect(await keysOf(store)).toEqual([attached.key]);
  expect((await all(store.listAside())).map(({ key }) => key)).toEqual([stray.key]);
});
