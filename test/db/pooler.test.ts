import { expect, test } from 'vitest';
import { type Database, openDatabase } from '../../src/db/database.ts';
import { countSessions } from '../../src/db/driver/count-sessions.ts';
import { createTestDatabase } from '../support/database.ts';
import { openPoolerDoor } from '../support/servers/pooler-door.ts';

async function start() {
  await using parts = new AsyncDisposableStack();
  const own = parts.use(await createTestDatabase());
  const door = parts.use(await openPoolerDoor(own.connection));
  const database = parts.use(openDatabase(door.through(own.connection), { poolSize: 1 }));
  const held = parts.move();
  return { own, door, database, [Symbol.asyncDispose]: () => held.disposeAsync() };
}

const operator = { role: 'OPERATOR' } as never;
const requester = { role: 'REQUESTER', userId: 7 } as never;
const who = `select current_user || ' ' || current_setting('ticketwire.viewer_role') || ' ' ||
  current_setting('lock_timeout') as who`;
type Who = { who: string }[];
/** Each kind of connection, and as whom it is to work. */
const kinds: Record<string, { ask: (database: Database) => Promise<unknown>; is: string }> = {
  desk: { ask: ({ desk }) => desk.execute(who), is: 'DESK 0' },
  writer: { ask: ({ writer }) => writer.execute(who), is: 'DESK 250ms' },
  commands: { ask: ({ commands }) => commands.execute(who), is: 'DESK 3s' },
  operator: { ask: ({ readAs }) => readAs(operator, (db) => db.execute(who)), is: 'OPERATOR 0' },
  requester: { ask: ({ readAs }) => readAs(requester, (db) => db.execute(who)), is: 'REQUESTER 0' },
  raw: { ask: async ({ raw }) => raw.unsafe(who), is: 'DESK 3s' },
  prepared: { ask: async ({ raw }) => raw.unsafe(who, [], { prepare: true }), is: 'DESK 3s' },
  transaction: { ask: ({ raw }) => raw.begin((tx) => tx.unsafe(who)), is: 'DESK 3s' },
};
const answers = (database: Database) =>
  Promise.all(
    Object.entries(kinds).map(async ([kind, { ask }]) => {
      const answer = await ask(database).then(
        (rows) => (rows as Who)[0]!.who,
        (error) => error.code ?? error.cause?.code,
      );
      return `${kind}: ${answer}`;
    }),
  );
const expected = Object.entries(kinds).map(([kind, { is }]) => `${kind}: ticketwire_app ${is}`);

test('behind a pooler each connection has its role, its row access and its limits', async () => {
  await using world = await start();
  await world.database.checkAll();
  expect(await answers(world.database)).toEqual(expected);
  expect(await answers(world.database)).toEqual(expected);
});

test('errors, transactions and pipelines behind a pooler are as without one', async () => {
  await using world = await start();
  const { raw } = world.database;
  const outcome = (statement: PromiseLike<unknown>) =>
    Promise.resolve(statement).then(
      (rows) => JSON.stringify(rows),
      (error) => error.code,
    );
  const numbers = Array.from({ length: 60 }, (_, n) => n);
  const pipeline = numbers.map((n) =>
    outcome(raw`select 10 / (${n}::int % 3) as it, repeat('é', ${n}) as text`),
  );
  expect(await Promise.all(pipeline)).toEqual(
    numbers.map((n) =>
      n % 3 === 0 ? '22012' : JSON.stringify([{ it: Math.trunc(10 / (n % 3)), text: 'é'.repeat(n) }]),
    ),
  );
  expect(await outcome(raw.begin((tx) => tx`select 1 / 0`))).toBe('22012');
  const saved = raw.begin(async (tx) => {
    const inner = await outcome(tx.savepoint((part) => part`select 1 / 0`));
    return [inner, ...(await tx`select 1 as one`)];
  });
  expect(await saved).toEqual(['22012', { one: 1 }]);
  expect(await outcome(raw`select 1 as one; select 2 as two`.simple())).toBe('[[{"one":1}],[{"two":2}]]');
  expect(await outcome(raw`select nothing from nowhere where 1 = ${1}`)).toBe('42P01');
  const long = await raw`select repeat('x', 3000000) as text from generate_series(1, 2)`;
  expect(long.map(({ text }) => text.length)).toEqual([3_000_000, 3_000_000]);
  expect(await outcome(raw.unsafe('rollback'))).toBe('[]');
});

test('a notification arrives through a pooler', async () => {
  await using world = await start();
  const listener = world.database.listener();
  const heard = new Promise(
    (resolve) =>
      void listener.listen('news', resolve, () => {
        void world.own.database.raw`select pg_notify('news', 'text')`.execute();
      }),
  );
  expect(await heard).toBe('text');
  await listener.end({ timeout: 1 });
});

/** Opens every connection of the pools again. The driver waits for 5 s for one that stays lost. */
const reopen = ({ writer, commands, raw }: Database) =>
  Promise.all(
    [writer, commands]
      .flatMap((pool) => [1, 2, 3, 4, 5].map(() => pool.execute(who)))
      .concat([1, 2, 3, 4, 5].map(() => raw.unsafe(who).execute() as never)),
  );

test('no statement is executed in the session of another connection', async () => {
  await using world = await start();
  const { database, door } = world;
  await database.checkAll();
  expect(await answers(database)).toEqual(expected);
  door.rotate();
  await expect(database.checkAll()).rejects.toThrow('set pool_mode = session in pgbouncer.ini');
  const after = await answers(database);
  // A pool's next connection has a session of its own.
  for (const [n, answer] of after.entries())
    expect([expected[n], `${Object.keys(kinds)[n]}: CONNECTION_SHARED`]).toContain(answer);
  for (const kind of ['desk', 'writer', 'operator']) expect(after).toContain(`${kind}: CONNECTION_SHARED`);
  await reopen(database);
  expect(await answers(database)).toEqual(expected);
});

test('sessions are counted behind a pooler alone', async () => {
  await using world = await start();
  expect(await countSessions(world.own.connection, 5)).toBeUndefined();
  expect(await countSessions(world.door.through(world.own.connection), 5)).toBe(5);
});
