import type postgres from 'postgres';
import { expect, test } from 'vitest';
import { type Database, openDatabase } from '../../src/db/database.ts';
import { createTestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';

const text = 'select pg_advisory_xact_lock_shared(1)';
/** Each way to send a statement. All of them wait for a lock. */
const ways: Record<string, (sql: postgres.Sql) => PromiseLike<unknown>> = {
  'a template': (sql) => sql`select pg_advisory_xact_lock_shared(1)`,
  'a template with a part': (sql) => sql`select ${sql`pg_advisory_xact_lock_shared(1)`}`,
  'an executed template': (sql) => sql`select pg_advisory_xact_lock_shared(1)`.execute(),
  'a text': (sql) => sql.unsafe(text),
  'a text whose rows are lists': (sql) => sql.unsafe(text).values(),
  'a transaction': (sql) => sql.begin((tx) => tx.unsafe(text)),
};

const waitingFor = (database: Database, pool: string) =>
  database.loads().find((load) => load.pool === pool)?.waiting;

for (const [name, ask] of Object.entries(ways))
  test(`${name} that waits for a connection of the worker's is counted, until it is answered`, async () => {
    await using own = await createTestDatabase();
    await using database = openDatabase(own.connection);
    const gate = Promise.withResolvers<void>();
    const locked = Promise.withResolvers<void>();
    const holding = own.database.raw.begin(async (tx) => {
      await tx`select pg_advisory_xact_lock(1)`;
      locked.resolve();
      await gate.promise;
    });
    await locked.promise;
    expect(waitingFor(database, 'mail')).toBe(0);
    const { raw } = database;
    // Of as many as there are connections none waits, unlike of those after them.
    const asked = Array.from({ length: 8 }, () => Promise.resolve(ask(raw)));
    await eventually(() => waitingFor(database, 'mail') === 3);
    gate.resolve();
    await Promise.all([...asked, holding]);
    expect(waitingFor(database, 'mail')).toBe(0);
  });

test('a statement that fails is not counted any more, and one that is not sent never', async () => {
  await using own = await createTestDatabase();
  await using database = openDatabase(own.connection);
  const { raw } = database;
  const parts = Array.from({ length: 20 }, () => raw`select 1`);
  const failing = Array.from({ length: 20 }, () => raw.unsafe('select 1 / 0').catch(() => 'failed'));
  expect(waitingFor(database, 'mail')).toBe(15);
  expect(await Promise.all(failing)).toEqual(failing.map(() => 'failed'));
  expect(waitingFor(database, 'mail')).toBe(0);
  expect(parts).toHaveLength(20);
});

test('of listeners, whose connections are their own, it is not said that no statement waits', async () => {
  await using own = await createTestDatabase();
  expect(own.database.loads().filter(({ waiting }) => waiting === undefined)).toMatchObject([
    { pool: 'listeners' },
  ]);
});
