import { expect, test } from 'vitest';
import { type Database, openDatabase } from '../../src/db/database.ts';
import { createTestDatabase } from '../support/database.ts';
import { type DatabaseDoor, openDatabaseDoor } from '../support/servers/database-door.ts';

async function start() {
  await using parts = new AsyncDisposableStack();
  const own = parts.use(await createTestDatabase());
  const door = parts.use(await openDatabaseDoor(own.connection));
  const database = parts.use(openDatabase(door.through(own.connection), { applicationName: 'lost' }));
  const held = parts.move();
  return { own, door, database, [Symbol.asyncDispose]: () => held.disposeAsync() };
}

/** Each kind of connection, with a statement of its own. */
const ways: Record<string, (database: Database) => PromiseLike<unknown>> = {
  'the desk': ({ desk }) => desk.execute('select 1'),
  'the writer': ({ writer }) => writer.execute('select 1'),
  'an operator': ({ readAs }) => readAs({ role: 'OPERATOR' } as never, (db) => db.execute('select 1')),
  'a requester': ({ readAs }) =>
    readAs({ role: 'REQUESTER', userId: 1 } as never, (db) => db.execute('select 1')),
  'raw SQL': ({ raw }) => raw`select 1`,
  'a transaction of raw SQL': ({ raw }) => raw.begin((tx) => tx`select 1`),
};
const outcomeOf = (statement: PromiseLike<unknown>): Promise<string> =>
  Promise.resolve(statement).then(
    () => 'answered',
    () => 'failed',
  );
const all = (database: Database) =>
  Promise.all(Object.entries(ways).map(async ([name, ask]) => `${name}: ${await outcomeOf(ask(database))}`));
const everybody = (outcome: string) => Object.keys(ways).map((name) => `${name}: ${outcome}`);

test('after the network drops all connections, statements and the listener work again', async () => {
  await using world = await start();
  const { own, door, database } = world;
  const heard: string[] = [];
  let listens = 0;
  const listener = database.listener();
  await listener.listen(
    'news',
    (text) => heard.push(text),
    () => (listens += 1),
  );
  // Some connections are idle when it happens. No statement may fail because its connection was lost before.
  expect(await all(database)).toEqual(everybody('answered'));
  const idle = database.raw`select 1`.execute();
  await Promise.all([idle, database.raw`select 1`]);
  door.loseAll();
  expect(await all(database)).toEqual(everybody('failed'));
  expect(await all(database)).toEqual(everybody('answered'));
  await expect.poll(() => listens).toBe(2);
  await own.database.raw`select pg_notify('news', 'after')`;
  await expect.poll(() => heard).toEqual(['after']);
  await listener.end({ timeout: 1 });
});

test('a statement waits for a lock for longer than the silence timeout', async () => {
  await using world = await start();
  const { own, door, database } = world;
  let waiting: PromiseLike<unknown> | undefined;
  await own.database.raw.begin(async (tx) => {
    await tx`select pg_advisory_xact_lock(1)`;
    waiting = database.raw`select pg_advisory_xact_lock(1)`.execute();
    waiting.then(
      () => {},
      () => {},
    );
    await asked(door, 1);
  });
  expect(await outcomeOf(waiting!)).toBe('answered');
});

/** Waits until this many new connections have queried the state of the silent ones. */
const asked = (door: DatabaseDoor, times: number) => {
  const before = door.opened;
  return expect.poll(() => door.opened - before).toBeGreaterThan(times);
};
