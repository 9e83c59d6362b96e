import { expect, test } from 'vitest';
import { createEventHub } from '../../src/events/hub.ts';
import { createLog } from '../../src/platform/log.ts';
import { createTestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';

test('a LISTEN that found no free connection is tried again before the tickets are checked', async () => {
  await using made = await createTestDatabase();
  const owner = made.asOwner();
  const [{ name }] = (await owner`select current_database() as name`) as unknown as [{ name: string }];
  const limit = (connections: number) =>
    owner.unsafe(`alter database ${name} connection limit ${connections}`);
  let checks = 0;
  await using hub = createEventHub({
    open: made.database.listener,
    findLastNumbers: async () => {
      checks += 1;
      return new Map();
    },
    log: createLog('silent'),
  });
  let notified = 0;
  using _first = hub.watch(1, () => (notified += 1));
  using _second = hub.watch(2, () => {});
  await limit(0);
  // Both wait for the same attempt.
  await Promise.all([hub.listening(), hub.listening()]);
  expect(notified).toBe(0);
  await limit(-1);
  const listening = () =>
    owner`select from pg_stat_activity where datname = ${name} and query like 'listen %'`;
  await eventually(async () => (await listening()).length > 0 && notified > 0);
  expect(checks).toBe(0);
  const before = notified;
  await owner`select pg_notify('ticketwire_events', '1')`;
  await eventually(() => notified > before);
  expect(await listening()).toHaveLength(1);
});
