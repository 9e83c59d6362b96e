import { sql } from 'drizzle-orm';
import type postgres from 'postgres';
import { beforeAll, expect, test } from 'vitest';
import { type Database, openDatabase } from '../../../src/db/database.ts';
import { type TextRow, textStatement } from '../../../src/db/run-statement.ts';
import type { Viewer } from '../../../src/platform/request-context.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';

const operator = { role: 'OPERATOR', userId: 1 } as Viewer;
const place = sql.placeholder('place');

/** Which backend ran it, and after how long that would have ended it: on a shared connection after 250 ms. */
const quick = textStatement<{ place: number }>(
  sql`select pg_backend_pid()::text, ${place}::text, current_setting('statement_timeout')`,
);
/** Counts its runs, and then waits for the lock with this key. */
const waiting = textStatement<{ place: number }>(sql`
  select pg_backend_pid()::text, nextval('runs')::text, pg_advisory_xact_lock_shared(${place}::int)::text,
    current_setting('statement_timeout')`);
/** Takes so many seconds on a shared connection, and no time on the others. */
const longHere = textStatement<{ place: number }>(sql`
  select case when current_setting('statement_timeout') = '250ms' then pg_sleep(${place}::int)::text end,
    current_setting('statement_timeout')`);
const failing = textStatement<{ place: number }>(sql`select (1 / (${place}::int - ${place}::int))::text`);

let own: TestDatabase;
let owner: postgres.Sql;

beforeAll(async () => {
  own = await createTestDatabase();
  owner = own.asOwner(2);
  await owner`create sequence runs`;
  await owner`grant usage on sequence runs to ticketwire_app`;
  return () => own[Symbol.asyncDispose]();
});

type Found = readonly (readonly TextRow[])[];
const pidsOf = (found: Found) => new Set(found.map(([row]) => row![0]!));
const placesOf = (found: Found) => found.map(([row]) => Number(row![1]));
const isShared = ([row]: readonly TextRow[]) => row!.at(-1) === '250ms';

async function runs(): Promise<number> {
  const [row] = await owner`select case when is_called then last_value else 0 end as n from runs`;
  return Number(row!.n);
}

/** Sends so many quick reads at once. */
const ask = (database: Database, count: number, duration?: 'LONG') =>
  Promise.all(
    Array.from({ length: count }, (_, n) => database.readTextsAs(operator, quick, { place: n }, duration)),
  );

/** Until one has been answered by a shared connection, others of it go elsewhere. */
const knownAsShort = (database: Database, statement = quick) =>
  eventually(async () => {
    const two = [-1, -1].map((free) => database.readTextsAs(operator, statement, { place: free }));
    return (await Promise.all(two)).every(isShared);
  });

/** Holds the lock with this key until it is disposed of. */
async function lock(key: number): Promise<AsyncDisposable> {
  const gate = Promise.withResolvers<void>();
  const locked = Promise.withResolvers<void>();
  const held = owner.begin(async (tx) => {
    await tx`select pg_advisory_xact_lock(${key})`;
    locked.resolve();
    await gate.promise;
  });
  await locked.promise;
  return {
    async [Symbol.asyncDispose]() {
      gate.resolve();
      await held;
    },
  };
}

test('short reads of operators share two connections, and each gets its own answer', async () => {
  await using database = openDatabase(own.connection);
  // Until the two are open, and on a machine that is so slow that they seem to be stalled, others answer.
  const found = await eventually(async () => {
    const answers = await ask(database, 32);
    expect(placesOf(answers)).toEqual([...answers.keys()]);
    return answers.every(isShared) && answers;
  });
  expect(pidsOf(found).size).toBe(2);
});

test('what finds no place on the two, and what is long, has the others: no more than before', async () => {
  await using database = openDatabase(own.connection);
  const long = await ask(database, 32, 'LONG');
  expect(long.some(isShared)).toBe(false);
  await knownAsShort(database);
  const many = await ask(database, 100);
  expect(pidsOf(many.filter(isShared)).size).toBe(2);
  expect(many.every(isShared)).toBe(false);
  expect(pidsOf([...long, ...many]).size).toBeLessThanOrEqual(10);
});

test.for([1, 2, 3])('a pool of %i has no more connections than that', async (poolSize) => {
  await using database = openDatabase(own.connection, { poolSize });
  const found = [...(await ask(database, 60)), ...(await ask(database, 60, 'LONG'))];
  expect(pidsOf(found).size).toBeLessThanOrEqual(poolSize);
});

test('a read that takes long is run again elsewhere, and those behind it wait at most as long', async () => {
  await using database = openDatabase(own.connection);
  await knownAsShort(database, waiting);
  const before = await runs();
  await using held = await lock(7);
  const slow = Promise.all([1, 2].map(() => database.readTextsAs(operator, waiting, { place: 7 })));
  await eventually(async () => (await runs()) >= before + 2);
  const behind = await ask(database, 40);
  expect(placesOf(behind)).toEqual([...behind.keys()]);
  await eventually(async () => (await runs()) === before + 4);
  await held[Symbol.asyncDispose]();
  expect(placesOf(await slow).toSorted((a, b) => a - b)).toEqual([before + 3, before + 4]);
});

test('a statement that took long goes elsewhere at once from then on, and others do not', async () => {
  await using database = openDatabase(own.connection);
  await knownAsShort(database);
  const before = await runs();
  await using held = await lock(10);
  const slow = [database.readTextsAs(operator, waiting, { place: 10 })];
  await eventually(async () => (await runs()) === before + 2);
  for (let n = 0; n < 3; n += 1) slow.push(database.readTextsAs(operator, waiting, { place: 10 }));
  await eventually(async () => (await runs()) >= before + 5);
  await knownAsShort(database);
  await held[Symbol.asyncDispose]();
  await Promise.all(slow);
  expect(await runs()).toBe(before + 5);
});

test('what waits behind several long ones is run elsewhere when the first of them is ended', async () => {
  await using database = openDatabase(own.connection);
  await knownAsShort(database, longHere);
  await knownAsShort(database);
  const long = Array.from({ length: 6 }, () => database.readTextsAs(operator, longHere, { place: 10 }));
  const behind = await ask(database, 20);
  expect(placesOf(behind)).toEqual([...behind.keys()]);
  expect([...behind, ...(await Promise.all(long))].some(isShared)).toBe(false);
  await knownAsShort(database);
});

test('many long ones that come together do not wait for each other to be ended', async () => {
  await using database = openDatabase(own.connection);
  const before = await runs();
  await using held = await lock(11);
  const slow = Array.from({ length: 8 }, () => database.readTextsAs(operator, waiting, { place: 11 }));
  // One was ended and ran again.
  await eventually(async () => (await runs()) >= before + 9);
  await held[Symbol.asyncDispose]();
  await Promise.all(slow);
  expect(await runs()).toBe(before + 9);
});

test('behind a statement that takes long, further reads do not wait at all', async () => {
  await eventually(async () => {
    await using database = openDatabase(own.connection);
    await knownAsShort(database, waiting);
    await knownAsShort(database);
    await using _held = await lock(8);
    const before = await runs();
    for (let n = 0; n < 2; n += 1) void database.readTextsAs(operator, waiting, { place: 8 });
    await eventually(async () => (await runs()) >= before + 2);
    const found: TextRow[][] = [];
    await eventually(() => {
      void ask(database, 1).then(([answer]) => found.push(answer!));
      return found.length > 0;
    });
    // Otherwise the machine is so slow that the two have been ended meanwhile.
    if ((await runs()) > before + 2) return false;
    expect(found.some(isShared)).toBe(false);
    return true;
  });
});

test('when its connection is lost, a short read is answered all the same, with those behind it', async () => {
  await using database = openDatabase(own.connection);
  const shared = await eventually(async () => {
    const pids = pidsOf((await ask(database, 32)).filter(isShared));
    return pids.size === 2 && pids;
  });
  await knownAsShort(database, waiting);
  await using held = await lock(9);
  const before = await runs();
  const slow = [1, 2].map(() => database.readTextsAs(operator, waiting, { place: 9 }));
  const behind = ask(database, 10);
  await eventually(async () => (await runs()) >= before + 1);
  for (const pid of shared) await owner`select pg_terminate_backend(${pid}::int)`;
  expect(placesOf(await behind)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  await held[Symbol.asyncDispose]();
  await Promise.all(slow);
});

test('while the server has no connection for them, short reads use those that are there', async () => {
  await using its = await createTestDatabase();
  await using database = openDatabase(its.connection);
  await ask(database, 1, 'LONG');
  const { database: name } = its.ownerConnection as { database: string };
  await owner`alter database ${owner(name)} connection limit 1`;
  for (let n = 0; n < 4; n += 1) expect(placesOf(await ask(database, 1))).toEqual([0]);
});

test('an error of the statement itself is thrown, and only by the read that has it', async () => {
  await using database = openDatabase(own.connection);
  const [failed, fine] = await Promise.allSettled([
    database.readTextsAs(operator, failing, { place: 1 }),
    ask(database, 20),
  ]);
  expect(failed).toMatchObject({ status: 'rejected', reason: { code: '22012' } });
  expect(fine.status).toBe('fulfilled');
});

test('a limit below that of short reads applies to them as well', async () => {
  await using database = openDatabase(own.connection, { answerWithinMs: 50 });
  const limit = textStatement<{ place: number }>(
    sql`select current_setting('statement_timeout'), ${place}::text`,
  );
  // A busy machine may take longer than that.
  const read = () => database.readTextsAs(operator, limit, { place: 0 }).catch(() => undefined);
  expect(await eventually(read)).toEqual([['50ms', '0']]);
});
