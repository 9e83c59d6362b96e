import { chmod, mkdtemp, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import type { TestProject } from 'vitest/node';
import { hashPassword } from '../../src/auth/passwords.ts';
import { type Connection, migrate, openDatabase } from '../../src/db/database.ts';
import { seedDemoDesk } from '../../src/dev/demo/seed-desk.ts';
import { startEmbedded } from '../../src/dev/embedded-postgres/start-postgres.ts';
import { createLog } from '../../src/platform/log.ts';
import { startMessageSearchIndexer } from '../../src/tickets/message-search-indexer.ts';
import { lowCost } from './low-cost.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The owner's connection to the migrated template database. */
    template: Exclude<Connection, string>;
    /** The name of a copy of it that has the demo desk in it. */
    demoTemplate: string;
  }
}

/**
 * A login as a careful administrator would make it for DATABASE_URL: it can be the gateway's role and nothing
 * more.
 */
export const gatewayLogin = 'gateway';

const demoTemplate = 'demo_template';

/** One PostgreSQL for a test run, without fsync: its data is thrown away. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const directory = await mkdtemp(join(await roomiest(), 'ticketwire-test-'));
  await chmod(directory, 0o711);
  // Workers and their children put their files there. fsync costs nothing, and all are removed together.
  process.env.TMPDIR = directory;
  const server = await startEmbedded(directory, {
    durable: false,
    settings: {
      max_connections: '400',
      autovacuum: 'off',
      // See observed/executed-statements.ts. The statements of all tests together would push each other out.
      shared_preload_libraries: 'pg_stat_statements',
      'pg_stat_statements.track': 'none',
    },
  });
  const template = server.connection as Exclude<Connection, string>;
  await migrate(template);
  const owner = postgres({ ...template, database: 'postgres', max: 1 });
  await owner`create role ${owner(gatewayLogin)} login in role ticketwire_app`;
  await owner`create database ${owner(demoTemplate)} template ${owner(template.database)}`;
  await owner.end();
  await fillDemo({ ...template, database: demoTemplate });
  project.provide('template', template);
  project.provide('demoTemplate', demoTemplate);
  return async () => {
    await server[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  };
}

/**
 * Memory, where there is enough of it to put files in: a database is copied and dropped there in a third of
 * the time.
 */
async function roomiest(): Promise<string> {
  const memory = '/dev/shm';
  const room = await statfs(memory).catch(() => undefined);
  return room !== undefined && room.bavail * room.bsize > 4 * 2 ** 30 ? memory : tmpdir();
}

/**
 * The demo desk, whose people have the same passwords at a lower cost: nearly every test signs in. Its
 * messages are covered by the search already, which takes two steps, so that no start has to do that.
 */
async function fillDemo(connection: Connection): Promise<void> {
  await using database = openDatabase(connection);
  await seedDemoDesk(database.desk);
  for (const login of ['operator', 'requester'])
    await database.raw`update users set password_hash = ${await hashPassword(login, lowCost)}
      where login = ${login}`;
  const log = createLog('error');
  for (let steps = 0; steps < 2; steps++)
    await startMessageSearchIndexer(database.desk, log)[Symbol.asyncDispose]();
}
