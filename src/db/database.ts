import { fileURLToPath } from 'node:url';
import { sql } from 'drizzle-orm';
import type { PgDatabase } from 'drizzle-orm/pg-core';
import { drizzle, type PostgresJsDatabase, type PostgresJsQueryResultHKT } from 'drizzle-orm/postgres-js';
import { migrate as runMigrations } from 'drizzle-orm/postgres-js/migrator';
import type postgres from 'postgres';
import type { PoolLoad } from '../observe/gauges.ts';
import type { Viewer } from '../platform/request-context.ts';
import { asRequester } from './as-requester.ts';
import { assertServer, assertSight, type Sight } from './assert-suitable.ts';
import { type Connection, openClient } from './driver/client.ts';
import { watchSilence } from './driver/close-silent-connections.ts';
import { withDeadline } from './driver/deadline.ts';
import { Load } from './driver/pool-load.ts';
import { askBackends } from './driver/query-backends.ts';
import { continuePlaces } from './event-places.ts';
import { isCurrent, takeTurn, within } from './migration-lock.ts';
import type { ReadTexts, TextRow } from './statement.ts';
import * as tables from './tables.ts';

export type { Connection } from './driver/client.ts';

type Schema = typeof tables;
/** A Drizzle database with this program's tables. */
export type Db = PostgresJsDatabase<Schema>;
/** What a query needs. A pool and a transaction both have it. */
export type Reader = Pick<
  PgDatabase<PostgresJsQueryResultHKT, Schema>,
  'select' | 'selectDistinct' | 'execute' | '$with' | 'with'
>;
/** A Drizzle transaction. */
export type Tx = Parameters<Parameters<Db['transaction']>[0]>[0];
/** The gateway's role. Migrations run as the owner, which is the connection's login. */
export const appRole = 'ticketwire_app';
const migrationsFolder = fileURLToPath(new URL('../../schema/migrations', import.meta.url));
/** How long a gateway that disappeared during a transaction may hold its locks. */
const idleInTransactionMs = 60_000;
/** How long the writer's statements wait for a lock. Other messages wait behind them. */
const writerLockMs = 250;
/** How long commands and the worker's steps wait for a lock. They have few connections. */
const lockMs = 3000;
/** Connections of each of the pools `commands` and `raw`. */
const stepsSize = 5;

/** The connections of a process. */
export interface Database extends AsyncDisposable {
  /**
   * For internal work: sees every row. A query on behalf of a viewer must include the viewer's rule when it
   * uses this pool.
   */
  readonly desk: Db;
  /** Like `desk`, for the message writer alone: its statements wait at most 250 ms for a lock. */
  readonly writer: Db;
  /** Like `desk`, for commands that lock rows: they wait up to 3 s for a lock without blocking other work. */
  readonly commands: Db;
  /**
   * Plain postgres.js with the same role, for the worker and the scanner. It has a pool of its own because
   * Drizzle changes the parsers of its client.
   */
  readonly raw: postgres.Sql;
  /** Opens a client with one connection, for LISTEN. The caller closes it. */
  listener(): postgres.Sql;
  /** Reads as the viewer, under row-level security. A requester's read is one read-only transaction. */
  readAs<T>(viewer: Viewer, read: (db: Reader) => Promise<T>): Promise<T>;
  /** The same for a statement that returns texts, which takes a requester two round trips fewer. */
  readTextsAs<V>(viewer: Viewer, statement: ReadTexts<V>, values: V): Promise<TextRow[]>;
  /** The load of each pool. */
  loads(): PoolLoad[];
  /**
   * Checks one connection.
   * @throws when the database does not answer, or when the role could bypass row-level security or does not
   *   see the desk
   */
  check(): Promise<void>;
  /** Like `check`, for each kind of connection. Called at the start. */
  checkAll(): Promise<void>;
}

/** Sizes of the pools, and the time limit of statements. */
export interface DatabaseOptions {
  /** Maximum connections of each of the three pools for requests. */
  poolSize?: number;
  /** Maximum statements of the message writer in flight. */
  writerSize?: number;
  applicationName?: string;
  /** Time limit of a statement, including its wait for a lock. */
  answerWithinMs?: number;
}

/** Creates the pools. Connections are opened on demand. */
export function openDatabase(
  connection: Connection,
  {
    poolSize = 10,
    writerSize = 4,
    applicationName = 'ticketwire',
    answerWithinMs = 10_000,
  }: DatabaseOptions = {},
): Database {
  const loads: Load[] = [];
  const open = (max: number, sight: Sight, { lockTimeoutMs = 0, pool = 'listeners' } = {}) => {
    const load = loads.find((known) => known.pool === pool) ?? new Load(pool, max);
    if (!loads.includes(load)) loads.push(load);
    return openClient(connection, {
      max,
      wires: load.wires,
      parameters: sessionOf({ applicationName, sight, answerWithinMs, lockTimeoutMs }),
    });
  };
  const pools = {
    desk: open(poolSize, 'DESK', { pool: 'desk' }),
    writer: open(writerSize, 'DESK', { pool: 'writer', lockTimeoutMs: writerLockMs }),
    operators: open(poolSize, 'OPERATOR', { pool: 'operators' }),
    requesters: open(poolSize, '', { pool: 'requesters' }),
    commands: open(stepsSize, 'DESK', { pool: 'commands', lockTimeoutMs: lockMs }),
    raw: open(stepsSize, 'DESK', { pool: 'mail', lockTimeoutMs: lockMs }),
  };
  const watch = watchSilence({
    wires: {
      *[Symbol.iterator]() {
        for (const { wires } of loads) yield* wires;
      },
    },
    ask: askBackends(connection),
    endAfterMs: 1.25 * answerWithinMs + 250,
  });
  // The server's statement_timeout comes first, because after it we know that nothing was written.
  const bounded = (name: keyof typeof pools): postgres.Sql =>
    withDeadline(
      pools[name],
      1.5 * answerWithinMs,
      loads.find(({ pool }) => pool === name),
    );
  const over = (name: keyof typeof pools): Db => drizzle(bounded(name), { schema: tables });
  const operators = over('operators');
  const requesters = over('requesters');
  const clients = { operators: bounded('operators'), requesters: bounded('requesters') };
  const { raw } = pools;
  return {
    desk: over('desk'),
    writer: over('writer'),
    commands: over('commands'),
    raw,
    listener: () => open(1, 'DESK'),
    readAs(viewer, read) {
      // All operators see the same rows. Their pool sets the role once, so each read is one round trip.
      if (viewer.role === 'OPERATOR') return read(operators);
      return requesters.transaction(
        async (tx) => {
          await tx.execute(
            sql`select set_config('ticketwire.viewer_role', 'REQUESTER', true),
              set_config('ticketwire.viewer_id', ${String(viewer.userId)}, true)`,
          );
          return read(tx);
        },
        { accessMode: 'read only' },
      );
    },
    readTextsAs(viewer, statement, values) {
      if (viewer.role === 'OPERATOR') return statement(clients.operators, values);
      return asRequester(clients.requesters, viewer, (tx) => statement(tx, values));
    },
    loads: () => loads.map((load) => load.now()),
    check: () => assertSight(pools.commands, 'DESK'),
    async checkAll() {
      await assertSight(pools.requesters, '');
      await assertSight(pools.operators, 'OPERATOR');
      await assertSight(pools.commands, 'DESK');
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(Object.values(pools).map((pool) => pool.end({ timeout: 5 })));
      watch[Symbol.dispose]();
    },
  };
}

interface SessionSettings {
  readonly applicationName: string;
  readonly sight: Sight;
  readonly answerWithinMs: number;
  /** 0: only the statement's own limit applies. */
  readonly lockTimeoutMs: number;
}

/** The maximum number of connections of one process, including the listeners'. */
export const connectionsAtMost = ({ poolSize = 10, writerSize = 4 }: DatabaseOptions = {}): number =>
  3 * poolSize + writerSize + 2 * stepsSize + 2;

/** Run-time parameters that each connection sets at its start. */
const sessionOf = ({ applicationName, sight, answerWithinMs, lockTimeoutMs }: SessionSettings) => ({
  application_name: applicationName,
  role: appRole,
  'ticketwire.viewer_role': sight,
  search_path: 'public',
  TimeZone: 'UTC',
  statement_timeout: String(answerWithinMs),
  lock_timeout: String(lockTimeoutMs),
  idle_in_transaction_session_timeout: String(idleInTransactionMs),
  // Otherwise a gateway that disappeared with its machine would hold its locks for hours.
  tcp_keepalives_idle: '10',
  tcp_keepalives_interval: '5',
  tcp_keepalives_count: '3',
  tcp_user_timeout: '20000',
  jit: 'off',
  // The statements are complex, and their plans hardly depend on the values: planning one costs more than
  // executing it.
  plan_cache_mode: 'force_generic_plan',
});

/**
 * Applies this version's migrations, as the owner. Processes that start together take turns.
 * @param say called with what the start is waiting for
 * @throws Unsuitable when the server cannot be used, or an error of the driver
 */
export async function migrate(
  connection: Connection,
  say: (waitsFor: string) => void = () => {},
): Promise<void> {
  const client = openClient(connection, { max: 1, connectSeconds: 10 });
  try {
    await assertServer(client);
    if (!(await isCurrent(client, migrationsFolder))) await apply(client, say);
    await continuePlaces(client, say);
  } finally {
    await client.end({ timeout: 5 });
  }
}

async function apply(client: postgres.Sql, say: (waitsFor: string) => void): Promise<void> {
  await client.begin(async (tx) => {
    // The settings and the lock belong to the transaction: a pooler would pass a session's lock on to
    // another client.
    await tx`set local search_path = public`;
    await takeTurn(tx, say);
    await runMigrations(drizzle(within(client, tx)), { migrationsFolder });
  });
}

/** What `inspect` finds. */
export interface Inspected {
  /** Version of the server: `17.6`. */
  readonly version: string;
  /** Whether it has this version's tables; if not, a start creates them. */
  readonly current: boolean;
  readonly maxConnections: number;
}

/**
 * Inspects a database as its owner without changing it.
 * @throws Unsuitable, or an error of the driver
 */
export async function inspect(connection: Connection): Promise<Inspected> {
  const client = openClient(connection, { max: 1, connectSeconds: 10 });
  try {
    await assertServer(client);
    const [server] = await client<[{ version: string; maxConnections: number }]>`
      select current_setting('server_version') as version,
        current_setting('max_connections')::int as "maxConnections"`;
    return { ...server!, current: await isCurrent(client, migrationsFolder) };
  } finally {
    await client.end({ timeout: 5 });
  }
}
