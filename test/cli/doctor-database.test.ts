import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Connection } from '../../src/db/database.ts';
import { openStore } from '../../src/storage/open-store.ts';
import { adoptStore } from '../../src/storage/store-owner.ts';
import { openTcpDoor, type TcpDoor } from '../crash/support/tcp-door.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { soaking } from '../support/soak.ts';
import { typeCommand } from './command-line.ts';

/* What a start would refuse or only log of its database, doctor tells before. */

let world: TestDatabase;
let door: TcpDoor;
let directory: string;
beforeAll(async () => {
  world = await createTestDatabase();
  door = await openTcpDoor(world.ownerConnection);
  directory = await mkdtemp(join(tmpdir(), 'ticketwire-doctor-'));
});
afterAll(async () => {
  await door?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

interface Finding {
  readonly check: string;
  readonly result: string;
  readonly detail: string;
}

/** What doctor finds of the settings whose name matches. */
async function findings(names: RegExp, env: Record<string, string>): Promise<Finding[]> {
  const blobs = pathToFileURL(join(directory, 'none')).href;
  const { out } = await typeCommand(['doctor', '--json'], {
    env: { SMTP_URL: 'inbox:', BLOBS_URL: blobs, ...env },
  });
  return (JSON.parse(out) as Finding[]).filter(({ check }) => names.test(check));
}

const unrestricted = expect.stringMatching(/ is a superuser or has BYPASSRLS, .*docs\/OPERATIONS\.md/);

test('a login that row-level security does not bind is a warning', async () => {
  const both = { DATABASE_URL: door.urlOf(world.ownerConnection) };
  expect(await findings(/^DATABASE/, both)).toEqual([
    { check: 'DATABASE_URL', result: 'ok', detail: expect.stringContaining('schema is current') },
    { check: 'DATABASE_URL', result: 'warning', detail: unrestricted },
  ]);
  const apart = {
    DATABASE_URL: door.urlOf(world.connection),
    DATABASE_OWNER_URL: door.urlOf(world.ownerConnection),
  };
  expect(await findings(/^DATABASE/, apart)).toEqual([
    { check: 'DATABASE_OWNER_URL', result: 'warning', detail: unrestricted },
    { check: 'DATABASE_URL', result: 'ok', detail: expect.stringContaining('row-level security') },
  ]);
});

test('a limit of the login or the database below what a gateway uses is a warning', async () => {
  const owner = world.asOwner();
  const [{ name }] = (await owner`select current_database() as name`) as unknown as [{ name: string }];
  const ownerUrl = { DATABASE_OWNER_URL: door.urlOf(world.ownerConnection) };
  const found = (connection: Connection) =>
    findings(/^DATABASE_URL/, { ...ownerUrl, DATABASE_URL: door.urlOf(connection) });
  const tooFew = (what: string, login: string) => {
    const detail = `${what} allows ${login} 45 connections, and a gateway uses up to 46`;
    return [{ check: 'DATABASE_URL', result: 'warning', detail: expect.stringContaining(detail) }];
  };
  // Not the login of the other tests, which need more.
  const login = `limited_${process.pid}`;
  await owner`create role ${owner(login)} login connection limit 45 in role ticketwire_app`;
  const limited = { ...(world.connection as Exclude<Connection, string>), user: login };
  expect(await found(limited)).toEqual(tooFew('the login', login));
  await owner`drop role ${owner(login)}`;
  await owner.unsafe(`alter database ${name} connection limit 45`);
  expect(await found(world.connection)).toEqual(tooFew('the database', 'gateway'));
  await owner.unsafe(`alter database ${name} connection limit -1`);
  expect(await found(world.connection)).toMatchObject([{ result: 'ok' }]);
  await owner.end();
});

test('a login that may not create the tables fails before the first start', async () => {
  const name = `test_fresh_${process.pid}`;
  const owner = world.asOwner();
  await owner`create database ${owner(name)} template template0`;
  try {
    const fresh = { ...(world.connection as Exclude<Connection, string>), database: name };
    expect(await findings(/^DATABASE/, { DATABASE_URL: door.urlOf(fresh) })).toEqual([
      {
        check: 'DATABASE_URL',
        result: 'failed',
        detail: expect.stringMatching(/may not create tables .*; DATABASE_OWNER_URL is for the login/),
      },
    ]);
  } finally {
    await owner`drop database ${owner(name)} with (force)`;
    await owner.end();
  }
});

test.runIf(soaking)('a blob store of another database is a warning that says what to do', async () => {
  const settings = { kind: 'file', directory: join(directory, 'blobs') } as const;
  const nowhere = pathToFileURL(join(directory, 'none')).href;
  await using other = await createTestDatabase();
  await adoptStore(other.database.desk, await openStore(settings));
  const env = {
    DATABASE_URL: door.urlOf(world.connection),
    DATABASE_OWNER_URL: door.urlOf(world.ownerConnection),
    BLOBS_URL: pathToFileURL(settings.directory).href,
  };
  expect(await findings(/^BLOBS_URL$/, { ...env, BLOBS_URL: nowhere })).toMatchObject([{ result: 'ok' }]);
  expect(await readdir(directory)).toEqual(['blobs']);
  const todo = /garbage collection is off, as the blob store already belongs to a database.*`blobs adopt`/;
  expect(await findings(/^BLOBS_URL$/, env)).toEqual([
    { check: 'BLOBS_URL', result: 'warning', detail: expect.stringMatching(todo) },
  ]);
  await adoptStore(world.database.desk, await openStore(settings));
  expect(await findings(/^BLOBS_URL$/, env)).toMatchObject([{ result: 'ok' }]);
});

test('GraphiQL is looked for where production asks for it', async () => {
  const env = { DATABASE_URL: 'postgres://x@127.0.0.1:1/desk', EXPLORER: '1' };
  expect(await findings(/^EXPLORER$/, env)).toEqual([
    { check: 'EXPLORER', result: 'ok', detail: 'GraphiQL is served at /graphql' },
  ]);
});
