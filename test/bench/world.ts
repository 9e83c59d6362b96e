import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { drizzle } from 'drizzle-orm/postgres-js';
import postgres from 'postgres';
import { createToken } from '../../src/auth/tokens.ts';
import { type Connection, migrate } from '../../src/db/database.ts';
import { type Embedded, startEmbedded } from '../../src/dev/embedded-postgres/start-postgres.ts';
import { seed } from './support/seed.ts';

/** The PostgreSQL of a benchmark: durable, on a disk, with one database a contender, all copied from one. */
export interface World extends AsyncDisposable {
  readonly serverPid: number;
  /** Bearer token of the operator who writes and reads. */
  readonly token: string;
  /**
   * Makes a contender's database. @returns environment by which both postgres.js and node-postgres find it.
   */
  createDatabase(name: string, sql: string): Promise<Record<string, string>>;
  /** As the owner. */
  connect(database: string): postgres.Sql;
}

/** The login that every contender signs in as. */
const owner = 'ticketwire';
const template = 'ticketwire';

/** @param settings more of postgresql.conf's, or others than a production server's */
export async function createWorld(
  directory: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<World> {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  chmodSync(directory, 0o711);
  const server: Embedded = await startEmbedded(directory, {
    // A production server's sizes. Commits are durable, as they are everywhere else.
    settings: { max_connections: '300', shared_buffers: '512MB', max_wal_size: '4GB', ...settings },
  });
  const base = server.connection as Exclude<Connection, string>;
  const connect = (database: string) => postgres({ ...base, database, max: 1, onnotice: () => {} });
  await migrate(base);
  const token = await seeded(connect(template));
  const admin = connect('postgres');
  return {
    serverPid: server.pid,
    token,
    connect,
    async createDatabase(name, sql) {
      await admin`create database ${admin(name)} template ${admin(template)} strategy file_copy`;
      const own = connect(name);
      await own.unsafe(sql);
      await own.end();
      return { PGHOST: dirname(base.path!), PGPORT: String(base.port), PGUSER: owner, PGDATABASE: name };
    },
    async [Symbol.asyncDispose]() {
      await admin.end();
      await server[Symbol.asyncDispose]();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function seeded(client: postgres.Sql): Promise<string> {
  await seed(client);
  const scopes = ['read', 'write', 'mail'] as const;
  const { token } = await createToken(drizzle(client), {
    userId: 1,
    name: 'bench',
    scopes,
  });
  await client.end();
  return token;
}

/** Not under the system's temporary directory: that may be memory, where a commit costs nothing. */
export const defaultDirectory = fileURLToPath(new URL('.data', import.meta.url));
