import { describe, expect, test } from 'vitest';
import { type Connection, inspect, migrate } from '../../../src/db/database.ts';
import { createTestDatabase } from '../../support/database.ts';
import { createOlderDatabase } from './older-database.ts';

test('migrations let others read while somebody holds a table for long, and say who it is', async () => {
  await using older = await createOlderDatabase('0025');
  const holder = await older.sql.reserve();
  await holder`begin`;
  await holder`set local application_name = 'a backup'`;
  await holder`select from events`;
  const said: string[] = [];
  let waits = () => {};
  const waiting = new Promise<void>((resolve) => (waits = resolve));
  const upgraded = older.upgrade((waitsFor) => {
    said.push(waitsFor);
    waits();
  });
  await waiting;
  // While the holder holds on, and the migrations have begun again and again.
  await older.sql.begin(async (reader) => {
    await reader`set local statement_timeout = '8s'`;
    await reader`select from events`;
  });
  expect(said).toEqual([expect.stringMatching(/^tables that are in use, .* process \d+ \(a backup\)$/)]);
  await holder`rollback`;
  holder.release();
  await upgraded;
});

describe('a database that a later version has migrated', () => {
  async function withLater(
    change: string,
    run: (start: () => Promise<unknown>, place: Connection) => unknown,
  ) {
    await using database = await createTestDatabase();
    const owner = database.asOwner(1);
    await owner`insert into drizzle.__drizzle_migrations (hash, created_at) values ('', 4102444800000)`;
    await owner.unsafe(change);
    const place = database.ownerConnection;
    await run(() => migrate(place), place);
  }

  test('is used as long as it has the columns of this version', () =>
    withLater('alter table tickets add column priority integer', async (start, place) => {
      await start();
      expect(await inspect(place)).toMatchObject({ tables: 'later' });
    }));

  test('is refused when one of them was removed', () =>
    withLater('alter table webhooks drop column failures', async (start, place) => {
      const reason = /later version .* removed .*\(webhooks\.failures\).*backup/;
      await expect(start()).rejects.toThrow(reason);
      await expect(inspect(place)).rejects.toThrow(reason);
    }));
});
