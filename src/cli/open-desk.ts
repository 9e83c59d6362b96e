import { setTimeout as sleep } from 'node:timers/promises';
import type postgres from 'postgres';
import type { Config } from '../config.ts';
import { type Connection, type Db, migrate, openDatabase } from '../db/database.ts';
import { namingSetting, ownerSettingOf } from '../describe-start-error.ts';
import {
  attachEmbedded,
  type Embedded,
  EmbeddedInUse,
  existsEmbedded,
  startEmbedded,
} from '../dev/embedded-postgres/start-postgres.ts';
import { describeDatabaseUrl } from '../settings/database-url.ts';
import { CommandError } from './command.ts';

/**
 * The desk's database, migrated to this version. Disposing of it closes the connections, and stops the
 * embedded server if it was started for this command.
 */
export interface OpenDesk extends AsyncDisposable {
  /** Connections that see and may change the whole desk. */
  readonly db: Db;
  /** Plain postgres.js connections to the same database, with the same rights. */
  readonly sql: postgres.Sql;
  readonly config: Config;
}

/** How the database is opened. */
export interface OpenOptions {
  /** Whether to create an embedded database if there is none. */
  readonly makeEmbedded?: boolean;
  /** Called before the database is opened, with words that name it and contain no secret. */
  readonly onOpen?: (database: string) => void;
  /** Called with what the migrations are waiting for, which may take long. */
  readonly onWait?: (waitsFor: string) => void;
}

/**
 * Opens the database of `DATABASE_URL`, or the embedded one of `DATA_DIR`, and migrates it. If a gateway runs
 * its embedded server, that is shared; otherwise the server is started for this command.
 * @throws CommandError when both `makeEmbedded` and DATABASE_URL are given, or neither is and DATA_DIR has no
 *   database: a command does not create one by mistake. ConfigError when a setting or the database has to be
 *   changed before it can be migrated. Errors of the embedded server are thrown unchanged.
 */
export async function openDesk(
  config: Config,
  { makeEmbedded = false, onOpen = () => {}, onWait }: OpenOptions = {},
): Promise<OpenDesk> {
  await using stack = new AsyncDisposableStack();
  let connections: { owner: Connection; gateway: Connection };
  if (config.database.kind === 'url') {
    if (makeEmbedded) throw new CommandError('--embedded and DATABASE_URL name two databases: choose one.');
    connections = { owner: config.database.ownerUrl, gateway: config.database.url };
    onOpen(`the database ${describeDatabaseUrl(config.database.url)}`);
  } else {
    if (!makeEmbedded && !existsEmbedded(config.dataDir)) {
      throw new CommandError(
        `There is no database in ${config.dataDir}. ` +
          'Set DATABASE_URL or DATA_DIR, or create a database there with --embedded.',
      );
    }
    onOpen(`the embedded database in ${config.dataDir}`);
    const embedded = await attachOrStart(config.dataDir);
    const connection = 'pid' in embedded ? stack.use(embedded).connection : embedded.connection;
    connections = { owner: connection, gateway: connection };
  }
  await namingSetting(ownerSettingOf(config), () => migrate(connections.owner, onWait));
  const database = stack.use(
    openDatabase(connections.gateway, { poolSize: 2, applicationName: 'ticketwire-cli' }),
  );
  const kept = stack.move();
  return { db: database.desk, sql: database.raw, config, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** Tries again when another process starts or stops the server in between. */
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
