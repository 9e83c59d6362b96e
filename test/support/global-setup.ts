import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import type { TestProject } from 'vitest/node';
import { type Connection, migrate } from '../../src/db/database.ts';
import { startEmbedded } from '../../src/db/embedded.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The owner's connection to the migrated template database. */
    template: Exclude<Connection, string>;
  }
}

/** A login as a careful administrator would make it for DATABASE_URL: it can be the gateway's role and nothing more. */
export const gatewayLogin = 'gateway';

/** One PostgreSQL for a test run, without fsync: its data is thrown away. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const directory = await mkdtemp(join(tmpdir(), 'ticketwire-test-'));
  await chmod(directory, 0o711);
  const server = await startEmbedded(directory, {
    durable: false,
    settings: { max_connections: '400', autovacuum: 'off' },
  });
  const template = server.connection as Exclude<Connection, string>;
  await migrate(template);
  const owner = postgres({ ...template, max: 1 });
  await owner`create role ${owner(gatewayLogin)} login in role ticketwire_app`;
  await owner.end();
  project.provide('template', template);
  return async () => {
    await server[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  };
}
