import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import postgres from 'postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createApp } from '../../src/app.ts';
import { readConfig } from '../../src/config.ts';
import { assertRowAccess } from '../../src/db/assert-suitable.ts';
import { type Connection, connectionsAtMost, migrate, openDatabase } from '../../src/db/database.ts';
import { openClient } from '../../src/db/driver/client.ts';
import { createLog } from '../../src/platform/log.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { soaking } from '../support/soak.ts';

type Place = Exclude<Connection, string>;
let database: TestDatabase;
let owner: postgres.Sql;
beforeAll(async () => {
  database = await createTestDatabase();
  owner = database.asOwner(3);
});
afterAll(() => database[Symbol.asyncDispose]());

/** What a start with these connections says; it always fails. */
async function startWith(
  connections: Partial<{ gateway: Connection; owner: Connection }>,
  env = {},
): Promise<string> {
  const config = readConfig({
    PORT: '0',
    DATABASE_URL: 'postgres://one@x/x',
    SMTP_URL: 'smtp://127.0.0.1:9',
    LOG_LEVEL: 'silent',
    ...env,
  });
  try {
    await using _app = await createApp(config, {
      log: createLog('silent'),
      connections: { gateway: database.connection, owner: database.ownerConnection, ...connections },
    });
    return 'started';
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`;
  }
}

/** A database that is made for one test. */
async function withDatabase<T>(options: string, run: (connection: Place) => Promise<T>): Promise<T> {
  const name = `odd_${randomBytes(4).toString('hex')}`;
  await owner.unsafe(`create database ${name} template template0 ${options}`);
  try {
    return await run({ ...(database.ownerConnection as Place), database: name });
  } finally {
    await owner.unsafe(`drop database ${name} with (force)`);
  }
}

test('a start whose database cannot hold every text says so, with the setting that leads there', async () => {
  await withDatabase("encoding 'LATIN1' locale_provider libc locale 'C'", async (place) => {
    const named = { DATABASE_OWNER_URL: 'postgres://other@x/x' };
    expect(await startWith({ owner: place })).toMatch(/^ConfigError: DATABASE_URL: .*LATIN1.*UTF8/);
    expect(await startWith({ owner: place }, named)).toMatch(/^ConfigError: DATABASE_OWNER_URL: .*LATIN1/);
  });
});

test('a start whose database has another lower case of I says so', async () => {
  const turkish = "encoding 'UTF8' locale_provider icu icu_locale 'tr' locale 'C'";
  await withDatabase(turkish, async (place) => {
    expect(await startWith({ owner: place })).toMatch(
      /^ConfigError: DATABASE_URL: .*INC in lower case is ınc.*LOCALE/,
    );
  });
});

test('a start whose database nobody answers at says so', async () => {
  const gateway = { host: '127.0.0.1', port: 1, user: 'x', database: 'x' };
  expect(await startWith({ gateway })).toMatch(
    /^ConfigError: DATABASE_URL: the database does not answer \(ECONNREFUSED/,
  );
});

test('a start whose login may not become the gateway’s role says what to grant', async () => {
  const login = `stranger_${randomBytes(4).toString('hex')}`;
  await owner`create role ${owner(login)} login`;
  const gateway = { ...(database.connection as Place), user: login };
  expect(await startWith({ gateway })).toMatch(/^ConfigError: DATABASE_URL: .*GRANT ticketwire_app/);
  await owner`drop role ${owner(login)}`;
});

test('a start whose login may not connect to the database says what to grant', async () => {
  await withDatabase("encoding 'UTF8'", async (place) => {
    await owner.unsafe(`revoke all on database ${place.database} from public`);
    const gateway = { ...place, user: (database.connection as Place).user };
    expect(await startWith({ gateway, owner: place })).toMatch(
      /^ConfigError: DATABASE_URL: the login may not connect .*GRANT CONNECT/,
    );
  });
});

test('a desk needs no right of PUBLIC, and gives it none to what runs as the owner', async () => {
  await withDatabase("encoding 'UTF8'", async (place) => {
    const { user } = database.connection as Place;
    await owner.unsafe(`revoke all on database ${place.database} from public;
      grant connect on database ${place.database} to ${user}`);
    const its = openClient(place, { max: 1 });
    await its.unsafe(`revoke all on schema public from public;
      alter default privileges revoke execute on functions from public;
      alter default privileges revoke usage on types from public`);
    await migrate(place);
    await using gateway = openDatabase({ ...place, user });
    await gateway.checkAll();
    const uncallable = await its`
      select oid::regprocedure as name from pg_proc
      where pronamespace = 'public'::regnamespace and prorettype <> 'trigger'::regtype
        and not has_function_privilege('ticketwire_app', oid, 'EXECUTE')`;
    expect([...uncallable]).toEqual([]);
    await its.end({ timeout: 1 });
  });
  const callableByAll = await owner`
    select oid::regprocedure as name from pg_proc
    where pronamespace = 'public'::regnamespace and prosecdef
      and has_function_privilege('public', oid, 'EXECUTE')`;
  expect([...callableByAll]).toEqual([]);
});

test('a start on a database that was restored without its rights says so', async () => {
  await using made = await createTestDatabase();
  await made.asOwner().unsafe('revoke all on all tables in schema public from ticketwire_app');
  expect(await startWith({ gateway: made.connection, owner: made.ownerConnection })).toMatch(
    /^ConfigError: DATABASE_URL: the role ticketwire_app has no right to tables \(api_tokens, .*restore it/,
  );
});

test('a start whose database is not there says so', async () => {
  const gateway = { ...(database.connection as Place), database: 'nowhere' };
  expect(await startWith({ gateway })).toMatch(/^ConfigError: DATABASE_URL: .*"nowhere" does not exist/);
});

test('a database that cannot be written is told at the start, and by readiness until it can be', async () => {
  await using made = await createTestDatabase('demo');
  const { database: name } = made.ownerConnection as Place;
  const set = (mode: string) =>
    owner.unsafe(`alter database ${name} set default_transaction_read_only = ${mode}`);
  const { connection: gateway, ownerConnection } = made;
  await using running = openDatabase(gateway, { poolSize: 2 });
  await running.check();
  await set('on');
  const connections = { gateway, owner: ownerConnection };
  expect(await startWith(connections)).toMatch(/^ConfigError: DATABASE_URL: transactions are read-only/);
  await using reopened = openDatabase(gateway, { poolSize: 2 });
  await expect(reopened.check()).rejects.toThrow('transactions are read-only');
  await set('off');
  await using later = openDatabase(gateway, { poolSize: 2 });
  await later.check();
});

test('a start whose foreign keys and triggers are turned off says which setting does that', async () => {
  await using made = await createTestDatabase();
  const { database: name } = made.ownerConnection as Place;
  await owner.unsafe(`alter database ${name} set session_replication_role = replica`);
  expect(await startWith({ gateway: made.connection, owner: made.ownerConnection })).toMatch(
    /^ConfigError: DATABASE_URL: .*session_replication_role is replica/,
  );
});

test('limits and forms of the owner’s login end no migration; one that cannot write says so', async () => {
  const settings = {
    standard_conforming_strings: 'off',
    transaction_timeout: '100ms',
    statement_timeout: '100ms',
    idle_in_transaction_session_timeout: '100ms',
    default_transaction_isolation: 'serializable',
    search_path: 'elsewhere',
  };
  await withDatabase("encoding 'UTF8'", async (place) => {
    const set = (key: string, value: string) =>
      owner.unsafe(`alter database ${place.database} set ${key} = '${value}'`);
    await set('default_transaction_read_only', 'on');
    expect(await startWith({ owner: place })).toMatch(
      /^ConfigError: DATABASE_URL: transactions are read-only/,
    );
    await set('default_transaction_read_only', 'off');
    for (const [key, value] of Object.entries(settings)) await set(key, value);
    await migrate(place);
    await using gateway = openDatabase({ ...place, user: (database.connection as Place).user });
    await gateway.checkAll();
  });
});

test('a process opens as many connections as OPERATIONS.md says', async () => {
  const said = await readFile(new URL('../../docs/OPERATIONS.md', import.meta.url), 'utf8');
  const [, beside, unset] = /3 × `DATABASE_POOL` \+ (\d+) connections, which is (\d+) by default/.exec(
    said.replaceAll('\n', ' '),
  )!;
  expect(connectionsAtMost({ poolSize: 10 })).toBe(Number(unset));
  expect(connectionsAtMost({ poolSize: 200 })).toBe(600 + Number(beside));
});

test('a way to the database that leaves out what a connection says of itself is found out', async () => {
  const sightWith = async (settings: Record<string, string>) => {
    const sql = openClient(database.connection, { max: 1, settings });
    try {
      return await assertRowAccess(sql, 'DESK').then(String, String);
    } finally {
      await sql.end({ timeout: 1 });
    }
  };
  const role = { role: 'ticketwire_app' };
  expect(await sightWith({ ...role, 'ticketwire.viewer_role': 'DESK' })).toBe('undefined');
  expect(await sightWith(role)).toMatch(
    /"ticketwire.viewer_role" of the connection is not set on the server/,
  );
  const asOwner = openClient(database.ownerConnection, { max: 1 });
  await expect(assertRowAccess(asOwner, 'DESK')).rejects.toThrow(/could bypass row-level security/);
  await asOwner.end({ timeout: 1 });
});

test('a role that row-level security does not hold is found out, an owner’s member too', async () => {
  const sightAs = (made: string) =>
    owner
      .begin(async (sql) => {
        await sql.unsafe(`create role tried; grant ticketwire_app to tried; ${made}`);
        await sql.unsafe(`set local ticketwire.viewer_role = 'DESK'; set local role tried`);
        const seen = await assertRowAccess(sql as never, 'DESK').then(String, String);
        // The roles are the whole server's: they end here.
        throw new Error(seen);
      })
      .catch(({ message }: Error) => message);
  expect(await sightAs('')).toBe('undefined');
  const free = [
    'alter role tried superuser',
    'alter role tried bypassrls',
    'alter table messages owner to tried',
  ];
  const member = 'create role owning; alter table messages owner to owning; grant owning to tried';
  for (const made of [...free, member, 'alter table messages disable row level security'])
    expect(await sightAs(made)).toBe('Unsuitable: the role tried could bypass row-level security');
});

test.runIf(soaking)('a search_path of the database or its owner changes nothing', async () => {
  await withDatabase("encoding 'UTF8'", async (place) => {
    await owner.unsafe(`alter database ${place.database} set search_path = elsewhere`);
    await migrate(place);
    await using gateway = openDatabase({ ...place, user: (database.connection as Place).user });
    await gateway.checkAll();
    expect(await gateway.desk.execute('select count(*)::int as count from tickets')).toEqual([{ count: 0 }]);
  });
});

test('a start without migrations waits for no lock', async () => {
  await using made = await createTestDatabase();
  const other = made.asOwner();
  await other`select pg_advisory_lock(7407470001)`;
  const said: string[] = [];
  await migrate(made.ownerConnection, (waitsFor) => said.push(waitsFor));
  expect(said).toEqual([]);
});

test.runIf(soaking)('of several starts, one with migrations logs what it waits for', async () => {
  await withDatabase("encoding 'UTF8'", async (place) => {
    const other = postgres({
      ...place,
      max: 1,
      connection: { application_name: 'another start' },
      onnotice: () => {},
    });
    await other`select pg_advisory_lock(7407470001)`;
    const said: string[] = [];
    let waits: () => void = () => {};
    const waiting = new Promise<void>((resolve) => (waits = resolve));
    const migrated = migrate(place, (waitsFor) => {
      said.push(waitsFor);
      waits();
    });
    await waiting;
    expect(said).toEqual([expect.stringMatching(/^the migration lock, held by .* \(another start\)$/)]);
    await other`select pg_advisory_unlock(7407470001)`;
    await migrated;
    await other.end({ timeout: 1 });
  });
});
