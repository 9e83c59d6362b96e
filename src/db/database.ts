import { fileURLToPath } from 'node:url';
import { sql } from 'drizzle-orm';
import type { PgDatabase } from 'drizzle-orm/pg-core';
import { drizzle, type PostgresJsDatabase, type PostgresJsQueryResultHKT } from 'drizzle-orm/postgres-js';
import { migrate as runMigrations } from 'drizzle-orm/postgres-js/migrator';
import type postgres from 'postgres';
import type { PoolLoad } from '../observe/gauges.ts';
import type { Viewer } from '../platform/request-context.ts';
import { askBackends } from './driver/backends.ts';
import { type Connection, openClient } from './driver/client.ts';
import { withDeadline } from './driver/deadline.ts';
import { Load } from './driver/load.ts';
import { watchSilence } from './driver/silence.ts';
import { isCurrent, takeTurn, within } from './migration-turn.ts';
import { assertServer, assertSight, type Sight } from './suitable.ts';
import * as tables from './tables.ts';

export type { Connection } from './driver/client.ts';

type Schema = typeof tables;
export type Db = PostgresJsDatabase<Schema>;
/** What a query needs of a pool or of a transaction: both are one. */
export type Reader = Pick<
  PgDatabase<PostgresJsQueryResultHKT, Schema>,
  'select' | 'selectDistinct' | 'execute' | '$with' | 'with'
>;
export type Tx = Parameters<Parameters<Db['transaction']>[0]>[0];
/** The role that the gateway works as; migrations run as the owner that the connection signs in as. */
export const appRole = 'ticketwire_app';
const migrationsFolder = fileURLToPath(new URL('../../schema/migrations', import.meta.url));
/** What a gateway that vanished in the middle of a transaction may hold its locks. */
const idleInTransactionMs = 60_000;
/** How long the writer's statements wait for any lock: others wait for them meanwhile. */
const writerLockMs = 250;
/** How long commands and the worker's steps wait for a lock; there are few connections for them. */
const lockMs = 3000;
/** Connections of the pools `commands` and `raw` each. */
const stepsSize = 5;

export interface Database extends AsyncDisposable {
  /**
   * The desk's own work: sees every row. Nothing a viewer asks for is read through it without the viewer's
   * rule beside it.
   */
  readonly desk: Db;
  /**
   * As `desk`, for the message writer alone: its statements wait for no lock longer than a quarter of a
   * second.
   */
  readonly writer: Db;
  /**
   * As `desk`, for commands that lock rows: they wait three seconds for a lock, and hold up no other work.
   */
  readonly commands: Db;
  /**
   * Raw postgres.js of the same role, for the worker and the scanner; Drizzle changes the parsers of the
   * client it is given.
   */
  readonly raw: postgres.Sql;
  /** A client of one connection of its own, for LISTEN; whoever opens it ends it. */
  listener(): postgres.Sql;
  /** Reads as the viewer: row-level security stands behind whatever is asked. */
  readAs<T>(viewer: Viewer, read: (db: Reader) => Promise<T>): Promise<T>;
  /** How busy each pool is. */
  loads(): PoolLoad[];
  /**
   * Rejects with what is wrong: no answer, a role that could bypass row-level security, or one that does not
   * see the desk.
   */
  check(): Promise<void>;
  /** As `check`, of each kind of connection: for a start. */
  checkAll(): Promise<void>;
}

export interface DatabaseOptions {
  /** Connections of each of the three pools for requests at most. */
  poolSize?: number;
  /** Statements that the message writer has in flight at most. */
  writerSize?: number;
  applicationName?: string;
  /**
   * A statement takes milliseconds: one that waits as long for a lock, a connection or the server is given
   * up.
   */
  answerWithinMs?: number;
}

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
  // The server's own clock goes first: when it says that it has given up, nothing was done.
  const over = (name: keyof typeof pools): Db =>
    drizzle(
      withDeadline(
        pools[name],
        1.5 * answerWithinMs,
        loads.find(({ pool }) => pool === name),
      ),
      {
        schema: tables,
      },
    );
  const operators = over('operators');
  const requesters = over('requesters');
  const { raw } = pools;
  return {
    desk: over('desk'),
    writer: over('writer'),
    commands: over('commands'),
    raw,
    listener: () => open(1, 'DESK'),
    readAs(viewer, read) {
      // No row hides from one operator and not from another: their pool says so once, and each of their reads
      // is one round trip.
      if (viewer.role === 'OPERATOR') return read(operators);
      return requesters.transaction(
        async (tx) => {
          await tx.execute(
            sql`select set_config('ticketwire.viewer_role', 'REQUESTER', true), set_config('ticketwire.viewer_id', ${String(viewer.userId)}, true)`,
          );
          return read(tx);
        },
        { accessMode: 'read only' },
      );
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

interface Session {
  readonly applicationName: string;
  readonly sight: Sight;
  readonly answerWithinMs: number;
  /** 0: as long as a statement may take. */
  readonly lockTimeoutMs: number;
}

/** Connections that one process with these pools has at most, those included that listen. */
export const connectionsAtMost = ({ poolSize = 10, writerSize = 4 }: DatabaseOptions = {}): number =>
  3 * poolSize + writerSize + 2 * stepsSize + 2;

/** What each connection tells the server when it begins. */
const sessionOf = ({ applicationName, sight, answerWithinMs, lockTimeoutMs }: Session) => ({
  application_name: applicationName,
  role: appRole,
  'ticketwire.viewer_role': sight,
  search_path: 'public',
  TimeZone: 'UTC',
  statement_timeout: String(answerWithinMs),
  lock_timeout: String(lockTimeoutMs),
  idle_in_transaction_session_timeout: String(idleInTransactionMs),
  // A gateway that vanished with its machine holds no lock for hours.
  tcp_keepalives_idle: '10',
  tcp_keepalives_interval: '5',
  tcp_keepalives_count: '3',
  tcp_user_timeout: '20000',
  jit: 'off',
  // The statements are many-armed and their plans hardly depend on their values: planning each anew costs
  // more than running it.
  plan_cache_mode: 'force_generic_plan',
});

/**
 * Brings the database to this version's tables, as its owner. Processes that start together wait for one
 * another.
 * @param say told whom a start waits for, if it does
 */
export async function migrate(
  connection: Connection,
  say: (waitsFor: string) => void = () => {},
): Promise<void> {
  const client = openClient(connection, { max: 1, connectSeconds: 10 });
  try {
    await assertServer(client);
    if (await isCurrent(client, migrationsFolder)) return;
    await client.begin(async (tx) => {
      // All of it belongs to the transaction: a pooler between us and the server would give a session's lock
      // to somebody else.
      await tx`set local search_path = public`;
      await takeTurn(tx, say);
      await runMigrations(drizzle(within(client, tx)), { migrationsFolder });
    });
  } finally {
    await client.end({ timeout: 5 });
  }
}

export interface Inspected {
  readonly version: string;
  /** Whether it has this version's tables; a start makes them otherwise. */
  readonly current: boolean;
  readonly maxConnections: number;
}

/** Looks at a database as its owner, and changes nothing. @throws Unsuitable, or what the driver says */
export async function inspect(connection: Connection): Promise<Inspected> {
  const client = openClient(connection, { max: 1, connectSeconds: 10 });
  try {
    await assertServer(client);
    const [server] = await client<[{ version: string; maxConnections: number }]>`
      select current_setting('server_version') as version, current_setting('max_connections')::int as "maxConnections"`;
    return { ...server!, current: await isCurrent(client, migrationsFolder) };
  } finally {
    await client.end({ timeout: 5 });
  }
}
