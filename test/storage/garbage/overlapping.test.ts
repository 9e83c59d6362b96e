import { afterEach, expect, test, vi } from 'vitest';
import { blobStores } from '../../../src/db/tables.ts';
import { collectGarbage } from '../../../src/storage/garbage/collect.ts';
import { startCollectionSchedule } from '../../../src/storage/garbage/schedule.ts';
import { claimStore, countCollection } from '../../../src/storage/store-owner.ts';
import { countWaiting } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { Canary } from '../../support/observed/canary.ts';
import { createDeskFiles, hours } from '../desk-files.ts';
import { all, keysOf, storeWorlds } from '../stores.ts';

/* Collections that take longer than the time between two, of one process and of several. */

afterEach(() => vi.useRealTimers());

test.each(Object.keys(storeWorlds))(
  'on %s, a file that a row names since it was found without one stays',
  async (kind) => {
    await using files = await createDeskFiles(kind);
    const { world, store, blobOf } = files;
    const collect = () => collectGarbage(world.database.desk, store, hours(6));
    // An empty store is the database's own from here on.
    await collect();
    const named = await blobOf(48, { row: false });
    const stray = await blobOf(48, { row: false });
    let slow: ReturnType<typeof collect> | undefined;
    const sql = world.asOwner(2);
    await sql.begin(async (tx) => {
      await tx`lock table blobs in exclusive mode`;
      slow = collect();
      await expect.poll(() => countWaiting(sql)).toBe(1);
      await tx`insert into blobs (key, byte_size, sha256) values (${named.key}, 5, ${named.sha256})`;
    });
    expect(await slow).toMatchObject({ keys: 1, blobs: 0 });
    expect(await keysOf(store)).toEqual([named.key]);
    expect((await all(store.listAside())).map(({ key }) => key)).toEqual([stray.key]);
  },
);

test('the number of collections in the store does not go back when one of them is late', async () => {
  await using files = await createDeskFiles('S3');
  const { world, store, place } = files;
  const { desk } = world.database;
  await claimStore(desk, store);
  const { server } = place;
  // The server takes up the late request now, and carries it out after those that come meanwhile.
  server!.delayMs = 500;
  const before = server!.underWay();
  const late = countCollection(desk, store);
  await expect.poll(server!.underWay).toBeGreaterThan(before);
  server!.delayMs = 0;
  for (let n = 0; n < 3; n += 1) await countCollection(desk, place.another());
  await late;
  const [mine] = await desk.select({ generation: blobStores.generation }).from(blobStores);
  expect(mine!.generation).toBe(4);
  expect(await store.identity()).toMatchObject({ generation: 4 });
});

test('a process collects one part at a time, and those whose turn came meanwhile after it', async () => {
  await using files = await createDeskFiles('disk');
  const { world, store } = files;
  const { desk } = world.database;
  const sql = world.asOwner(2);
  vi.useFakeTimers({ toFake: ['Date', 'setInterval', 'clearInterval'] });
  const { log } = new Canary();
  const now = () => new Date();
  await using schedule = await sql.begin(async (tx) => {
    // The first statement of a collection waits for this.
    await tx`lock table rate_limits in exclusive mode`;
    const begun = startCollectionSchedule({ db: desk, blobs: store, log, now });
    for (let turn = 0; turn < 20; turn += 1) vi.advanceTimersByTime(15 * 60_000);
    await eventually(async () => (await countWaiting(sql)) > 0);
    for (let n = 0; n < 10; n += 1) expect(await countWaiting(sql)).toBe(1);
    return begun;
  });
  // The first one, and each of the 16 parts once.
  await eventually(async () => {
    const [counted] = await desk.select({ generation: blobStores.generation }).from(blobStores);
    return counted?.generation === 17;
  });
  expect(schedule.why()).toBeUndefined();
});
