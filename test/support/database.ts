import { randomBytes } from 'node:crypto';
import postgres from 'postgres';
import { afterAll, afterEach, beforeAll, inject } from 'vitest';
import { type Connection, type Database, openDatabase } from '../../src/db/database.ts';
import { gatewayLogin } from './global-setup.ts';

/**
 * Connections of each pool for requests, unless a test says otherwise. PostgreSQL forks a process for each
 * and plans each statement anew in it, and a request that holds one while it waits for another shows sooner.
 */
export const fewConnections = 3;

/** A database of a test's own: this version's tables, no rows. */
export interface TestDatabase extends AsyncDisposable {
  /** As a gateway in production has it: a login that may become the gateway's role, and owns nothing. */
  readonly connection: Connection;
  /** As the owner of the tables, past row-level security. */
  readonly ownerConnection: Connection;
  /** Opens a client with that. It is ended with the database. @param sessions at most; 1 by default */
  asOwner(sessions?: number): postgres.Sql;
  /** Opened as the gateway opens it. */
  readonly database: Database;
}

/**
 * Copies the migrated template, a matter of milliseconds. Disposing drops it, whoever is still connected.
 * @param desk `demo`: with the demo desk in it
 * @param poolSize of `database`: as many as a test lets wait at once
 */
export async function createTestDatabase(
  desk: 'empty' | 'demo' = 'empty',
  poolSize = fewConnections,
): Promise<TestDatabase> {
  const template = inject('template');
  const original = desk === 'demo' ? inject('demoTemplate') : template.database;
  const name = `test_${process.pid}_${randomBytes(4).toString('hex')}`;
  const sql = asOwner();
  await sql`create database ${sql(name)} template ${sql(original)} strategy file_copy`;
  const ownerConnection = { ...template, database: name };
  const connection = { ...ownerConnection, user: gatewayLogin };
  const database = openDatabase(connection, { poolSize, applicationName: 'ticketwire-test' });
  const clients: postgres.Sql[] = [];
  return {
    connection,
    ownerConnection,
    database,
    asOwner(max = 1) {
      const client = postgres({ ...ownerConnection, max, onnotice: () => {} });
      clients.push(client);
      return client;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([
        database[Symbol.asyncDispose](),
        ...clients.map((client) => client.end({ timeout: 5 })),
      ]);
      await sql`drop database ${sql(name)} with (force)`;
    },
  };
}

/**
 * Ids start at 1 again. Without the triggers, foreign keys among them, no order of the tables matters. The
 * one row of search_progress stays: it says how far the search's indexer is.
 */
const deleteAllRows = `do $$ declare one record; begin
  set local session_replication_role = replica;
  for one in select oid::regclass as name, relkind as kind from pg_class
    where relnamespace = 'public'::regnamespace and relkind in ('r', 'S') and relname <> 'search_progress'
  loop
    if one.kind = 'S' then perform setval(one.name, 1, false);
    else execute format('delete from %s', one.name);
    end if;
  end loop;
end $$`;

/**
 * One database for all tests of a file or of a `describe`, whose rows are deleted after each: a test does not
 * wait for a copy, and finds connections open. For tests that change nothing but rows and start no gateway.
 * @returns the database, in a test and in hooks
 */
export function shareDatabase(poolSize?: number): () => TestDatabase {
  let database: TestDatabase;
  let owner: postgres.Sql;
  beforeAll(async () => {
    database = await createTestDatabase('empty', poolSize);
    owner = database.asOwner();
  });
  afterEach(() => owner.unsafe(deleteAllRows));
  afterAll(() => database[Symbol.asyncDispose]());
  return () => database;
}

/**
 * How many sessions of this database wait for a lock; other tests have databases of their own on the same
 * server.
 */
export async function countWaiting(sql: postgres.Sql): Promise<number> {
  const waiting =
    await sql`select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
  return waiting.length;
}

let owner: postgres.Sql | undefined;

/** One session for all databases of this worker's tests; it does not keep the worker alive. */
function asOwner(): postgres.Sql {
  owner ??= postgres({
    ...inject('template'),
    database: 'postgres',
    max: 1,
    idle_timeout: 20,
    // Else each session asks for all types first.
    fetch_types: false,
    onnotice: () => {},
  });
  return owner;
}
