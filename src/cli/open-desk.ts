import { setTimeout as sleep } from 'node:timers/promises';
import type postgres from 'postgres';
import type { Config } from '../config.ts';
import { type Connection, type Db, migrate, openDatabase } from '../db/database.ts';
import {
  attachEmbedded,
  type Embedded,
  EmbeddedInUse,
  existsEmbedded,
  startEmbedded,
} from '../dev/embedded-postgres/embedded.ts';
import { CommandError } from './command.ts';

/** The desk's database, brought to this version's tables. */
export interface OpenDesk extends AsyncDisposable {
  readonly db: Db;
  readonly sql: postgres.Sql;
  readonly config: Config;
}

export interface OpenOptions {
  /** Whether an embedded database may be made where there is none; otherwise that is refused. */
  readonly makeEmbedded?: boolean;
  /** Told which database it is, without its password. */
  readonly tell?: (database: string) => void;
}

/**
 * That of `DATABASE_URL`, or the embedded one of `DATA_DIR`: the running gateway's if one runs, else started
 * for this command.
 * @throws CommandError where there is no desk: whoever forgot DATABASE_URL would write into a new one, which
 * nobody reads
 */
export async function openDesk(
  config: Config,
  { makeEmbedded = false, tell = () => {} }: OpenOptions = {},
): Promise<OpenDesk> {
  await using stack = new AsyncDisposableStack();
  let connections: { owner: Connection; gateway: Connection };
  if (config.database.kind === 'url') {
    if (makeEmbedded) throw new CommandError('--embedded and DATABASE_URL are two databases: choose one.');
    connections = { owner: config.database.ownerUrl, gateway: config.database.url };
    tell(`the database ${withoutSecrets(config.database.url)}`);
  } else {
    if (!makeEmbedded && !existsEmbedded(config.dataDir)) {
      throw new CommandError(
        `There is no desk in ${config.dataDir}. Set DATABASE_URL or DATA_DIR, or say --embedded to make a new one there.`,
      );
    }
    tell(`the embedded database in ${config.dataDir}`);
    const embedded = await attachOrStart(config.dataDir);
    const connection = 'pid' in embedded ? stack.use(embedded).connection : embedded.connection;
    connections = { owner: connection, gateway: connection };
  }
  await migrate(connections.owner);
  const database = stack.use(
    openDatabase(connections.gateway, { poolSize: 2, applicationName: 'ticketwire-cli' }),
  );
  const kept = stack.move();
  return { db: database.desk, sql: database.raw, config, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** Host, port and name; what else stands in a URL of PostgreSQL's may be a secret. */
function withoutSecrets(url: string): string {
  const { protocol, host, pathname, searchParams } = new URL(url);
  return `${protocol}//${host || (searchParams.get('host') ?? '')}${pathname}`;
}

/** Another process may start or stop the server between looking and starting: then it is looked at again. */
async function attachOrStart(dataDir: string): Promise<Embedded | { connection: Connection }> {
  for (let tries = 0; ; tries += 1) {
    const connection = await attachEmbedded(dataDir);
    if (connection !== undefined) return { connection };
    try {
      return await startEmbedded(dataDir);
    } catch (error) {
      if (!(error instanceof EmbeddedInUse) || tries >= 20) throw error;
      await sleep(100);
    }
  }
}
