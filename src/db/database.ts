import { fileURLToPath } from 'node:url';
import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate as runMigrations } from 'drizzle-orm/postgres-js/migrator';
import type postgres from 'postgres';
import type { PoolLoad } from '../observe/gauges.ts';
import {
  assertMayMigrate,
  assertMember,
  assertRowAccess,
  assertServer,
  assertWritable,
  findLogin,
  type Login,
  Unsuitable,
} from './assert-suitable.ts';
import { assertHasColumns, assertHasRights } from './assert-tables.ts';
import { type Connection, withClient } from './driver/client.ts';
import { continuePlaces } from './event-places.ts';
import { clientWithin, findTablesVersion, type TablesVersion, yieldToReaders } from './migration-lock.ts';
import { appRole, type Db, openPools } from './pools.ts';
import { openViewerReads, type ViewerReads } from './reads/viewer-reads.ts';
import { type ReplicatedReads, readFromReplicas } from './replicas/read-from-replicas.ts';
import { openReplica } from './replicas/replica.ts';

export type { Connection } from './driver/client.ts';
export { appRole, type Db, type Reader, type Tx } from './pools.ts';

const migrationsFolder = fileURLToPath(new URL('../../schema/migrations', import.meta.url));
/** How long the writer's statements wait for a lock. Other messages wait behind them. */
const writerLockMs = 250;
/** How long uploads and the worker's steps wait for a lock. They have few connections. */
const lockMs = 3000;
/** Connections of each of the pools `commands` and `raw`. */
const stepsSize = 5;

/** The connections of a process. */
export interface Database extends AsyncDisposable, ViewerReads {
  /**
   * For internal work: sees every row. A query on behalf of a viewer must include the viewer's rule when it
   * uses this pool.
   */
  readonly desk: Db;
  /** Like `desk`, for the message writer alone: its statements wait at most 250 ms for a lock. */
  readonly writer: Db;
  /**
   * Like `desk`, for commands that lock rows: they wait up to 3 s for a lock without blocking other work.
   * What may wait for a ticket's lock goes through `inTransaction`.
   */
  readonly commands: Db;
  /**
   * Plain postgres.js with the same role, for the worker and the scanner. It has a pool of its own because
   * Drizzle changes the parsers of its client.
   */
  readonly raw: postgres.Sql;
  /** Opens a client with one connection, for LISTEN. It sees every row. The caller closes it. */
  listener(): postgres.Sql;
  /**
   * Answers the reads of viewers from replicas that have caught up; undefined without replicas. With
   * replicas, `readAs` and `readTextsAs` of this database are the same functions.
   */
  readonly replicas: ReplicatedReads | undefined;
  /** The load of each pool, those of the replicas included. */
  loads(): PoolLoad[];
  /**
   * Checks one connection to the primary.
   * @throws Unsuitable when nothing can be written, or when the role could bypass row-level security or does
   *   not see the desk; or an error of the driver, as when the database does not answer
   */
  check(): Promise<void>;
  /**
   * Like `check`, for the viewers' connections to the primary as well, and for the rights to the tables.
   * Called at the start. Replicas are checked by `replicas.check`.
   * @throws also when a pooler shares sessions between connections
   */
  checkAll(): Promise<void>;
}

/** Sizes of the pools, and the time limit of statements. */
export interface DatabaseOptions {
  /** Maximum connections of each of the three pools for requests; 10 if absent. A replica has two of them. */
  poolSize?: number;
  /** Maximum connections of the message writer, and so of its statements in flight; 4 if absent. */
  writerConnections?: number;
  /** `application_name` of the connections; `ticketwire` if absent. */
  applicationName?: string;
  /** Milliseconds that a statement may take, including its wait for a lock; 10 000 if absent. */
  answerWithinMs?: number;
  /** Streaming replicas for the reads of viewers. */
  replicas?: readonly Connection[];
}

/**
 * Creates the pools. Connections are opened on demand, so this does not fail when the database is down. The
 * position of each replica is queried from now on.
 * @throws Error for a URL that is not valid
 */
export function openDatabase(
  connection: Connection,
  {
    poolSize = 10,
    writerConnections = 4,
    applicationName = 'ticketwire',
    answerWithinMs = 10_000,
    replicas: replicaConnections = [],
  }: DatabaseOptions = {},
): Database {
  const options = { applicationName, answerWithinMs };
  const pools = openPools(connection, options);
  const desk = pools.openDb('desk', { max: poolSize, rowAccess: 'DESK' });
  const writer = pools.openDb('writer', {
    max: writerConnections,
    rowAccess: 'DESK',
    lockTimeoutMs: writerLockMs,
  });
  const reads = openViewerReads(pools, poolSize);
  const commands = pools.openDb('commands', { max: stepsSize, rowAccess: 'DESK', lockTimeoutMs: lockMs });
  const raw = pools.open('mail', { max: stepsSize, rowAccess: 'DESK', lockTimeoutMs: lockMs });
  const replicas = replicaConnections.map((replica, n) =>
    openReplica(replica, { ...options, poolSize, name: `replica-${n + 1}` }),
  );
  const replicated = replicas.length === 0 ? undefined : readFromReplicas(pools, reads, replicas);
  const { readAs, readTextsAs } = replicated ?? reads;
  const check = async () => {
    await assertRowAccess(commands.$client, 'DESK');
    await assertWritable(commands.$client).catch((error) => {
      if (error instanceof Unsuitable) pools.doubt();
      throw error;
    });
  };
  return {
    desk,
    writer,
    commands,
    raw,
    listener: () => pools.listener(),
    readAs,
    readTextsAs,
    replicas: replicated,
    loads: () => [pools, ...replicas].flatMap((each) => each.loads()),
    check,
    async checkAll() {
      // Where a pooler shares sessions, a connection has lost its own by the second time.
      for (let times = 0; times < 2; times += 1) {
        await reads.checkRowAccess();
        await check();
      }
      await assertHasRights(commands.$client);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([pools, ...replicas].map((each) => each[Symbol.asyncDispose]()));
    },
  };
}

/** The maximum number of connections of one process to the primary, including the listeners'. */
export const connectionsAtMost = ({ poolSize = 10, writerConnections = 4 }: DatabaseOptions = {}): number =>
  3 * poolSize + writerConnections + 2 * stepsSize + 2;

/**
 * Applies this version's migrations that are missing, in one transaction, as the owner. In a desk that was
 * restored from a dump, it also advances the places of new events beyond the last one. Processes that start
 * together take turns. Whoever uses a table that is to be changed goes first.
 * @param say called with what the start is waiting for: another process that migrates, or who uses the tables
 * @throws Unsuitable when the server cannot be used, or a later version has removed what this one uses; an
 *   error of the driver, also of a migration's statement; Error for a URL that is not valid
 */
export async function migrate(
  connection: Connection,
  say: (waitsFor: string) => void = () => {},
): Promise<void> {
  await withClient(connection, { connectSeconds: 10, prepare: false }, async (client) => {
    await assertServer(client);
    const tables = await findTablesVersion(client, migrationsFolder);
    if (tables === 'older') await apply(client, say);
    if (tables === 'later') await assertHasColumns(client);
    await continuePlaces(client, say);
  });
}

async function apply(client: postgres.Sql, say: (waitsFor: string) => void): Promise<void> {
  await assertWritable(client);
  await yieldToReaders(client, {
    isDone: async (tx) => (await findTablesVersion(tx, migrationsFolder)) !== 'older',
    run: (tx) => runMigrations(drizzle(clientWithin(client, tx)), { migrationsFolder }),
    say,
  });
}

/** What `inspect` finds. */
export interface Inspected {
  /** Version of the server: `17.6`. */
  readonly version: string;
  /** Of which version its tables are. A start applies the migrations that older ones lack. */
  readonly tables: TablesVersion;
  /** The server's `max_connections`. */
  readonly maxConnections: number;
  readonly login: Login;
}

/**
 * Inspects a database as its owner without changing it.
 * @throws Unsuitable when the server cannot be used, when a later version has removed what this one uses, or
 *   when migrations are missing and the login may not create tables; an error of the driver; Error for a URL
 *   that is not valid
 */
export function inspect(connection: Connection): Promise<Inspected> {
  return withClient(connection, { connectSeconds: 10 }, async (client) => {
    await assertServer(client);
    const [server] = await client<[{ version: string; maxConnections: number }]>`
      select current_setting('server_version') as version,
        current_setting('max_connections')::int as "maxConnections"`;
    const tables = await findTablesVersion(client, migrationsFolder);
    if (tables === 'later') await assertHasColumns(client);
    if (tables === 'older') {
      await assertWritable(client);
      await assertMayMigrate(client);
    }
    return { ...server!, tables, login: await findLogin(client) };
  });
}

/**
 * Checks the gateway's login on a connection that is closed afterwards, without needing its tables.
 * @throws Unsuitable when the login may not act as the gateway's role; an error of the driver; Error for a
 *   URL that is not valid
 */
export function checkLogin(connection: Connection): Promise<Login> {
  return withClient(connection, { connectSeconds: 10 }, async (client) => {
    await assertMember(client, appRole);
    return findLogin(client);
  });
}
