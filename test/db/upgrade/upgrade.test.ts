import { describe, expect, test } from 'vitest';
import { type Connection, inspect, migrate } from '../../../src/db/database.ts';
import { createTestDatabase } from '../../support/database.ts';
import { soaking } from '../../support/soak.ts';
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

test.runIf(soaking)(
  'of several starts, none tries to migrate while another one lets others work',
  async () => {
    await using older = await createOlderDatabase('0025');
    const holder = await older.sql.reserve();
    await holder`begin`;
    await holder`select from events`;
    const upgraded = [1, 2, 3].map(() => older.upgrade());
    // Without a transaction id, for which the desk's events would wait.
    const isCalm = async () => {
      const [found] = await older.sql<{ idle: number; waiting: number; trying: number }[]>`
      select (count(*) filter (where l.locktype = 'advisory' and l.granted and a.backend_xid is null
          and a.state = 'idle in transaction'))::int as idle,
        (count(*) filter (where l.locktype = 'advisory' and not l.granted))::int as waiting,
        (count(*) filter (where l.locktype = 'relation' and not l.granted))::int as trying
      from pg_locks l join pg_stat_activity a on a.pid = l.pid where a.datname = current_database()`;
      return found!.idle === 1 && found!.waiting === 2 && found!.trying === 0;
    };
    let calm = 0;
    // Not `eventually`, which looks less and less often: this does not last.
    await expect.poll(async () => (calm = (await isCalm()) ? calm + 1 : 0)).toBe(20);
    await holder`rollback`;
    holder.release();
    await Promise.all(upgraded);
  },
);

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
