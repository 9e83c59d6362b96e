import { fileURLToPath } from 'node:url';
import { sql } from 'drizzle-orm';
import type { PgDatabase } from 'drizzle-orm/pg-core';
import { drizzle, type PostgresJsDatabase, type PostgresJsQueryResultHKT } from 'drizzle-orm/postgres-js';
import { migrate as runMigrations } from 'drizzle-orm/postgres-js/migrator';
import postgres from 'postgres';
import type { Viewer } from '../context.ts';
import { withDeadline } from './deadline.ts';
import * as tables from './tables.ts';

type Schema = typeof tables;
export type Db = PostgresJsDatabase<Schema>;
/** What a query needs of a pool or of a transaction: both are one. */
export type Reader = Pick<
  PgDatabase<PostgresJsQueryResultHKT, Schema>,
  'select' | 'selectDistinct' | 'execute' | '$with' | 'with'
>;
export type Tx = Parameters<Parameters<Db['transaction']>[0]>[0];
/** Options for postgres.js: a URL, or a socket of the embedded server. */
export type Connection =
  | string
  | { host?: string; path?: string; port: number; user: string; password?: string; database: string };

/** The role that the gateway works as; migrations run as the owner that the connection signs in as. */
export const appRole = 'ticketwire_app';
const migrationsFolder = fileURLToPath(new URL('../../schema/migrations', import.meta.url));
/** Any constant will do, as long as all gateways of a database use the same. */
const migrationLock = 7_407_470_001;
/** What a gateway that vanished in the middle of a transaction may hold its locks. */
const idleInTransactionMs = 60_000;

export interface Database extends AsyncDisposable {
  /** The desk's own work: sees every row. Nothing a viewer asks for is read through it without the viewer's rule beside it. */
  readonly desk: Db;
  /** Raw postgres.js of the same role, for LISTEN; Drizzle changes the parsers of the client it is given. */
  readonly raw: postgres.Sql;
  /** A client of one connection of its own, for LISTEN; whoever opens it ends it. */
  listener(): postgres.Sql;
  /** Reads as the viewer: row-level security stands behind whatever is asked. */
  readAs<T>(viewer: Viewer, read: (db: Reader) => Promise<T>): Promise<T>;
  /** Rejects with what is wrong: no answer, or a role that could bypass row-level security. */
  check(): Promise<void>;
}

export interface DatabaseOptions {
  /** Connections of the pool at most. */
  poolSize?: number;
  applicationName?: string;
  /** A statement takes milliseconds: one that waits as long for a lock, a connection or the server is given up. */
  answerWithinMs?: number;
}

export function openDatabase(
  connection: Connection,
  { poolSize = 10, applicationName = 'ticketwire', answerWithinMs = 10_000 }: DatabaseOptions = {},
): Database {
  const open = (max: number, viewerRole: 'DESK' | 'OPERATOR' | '') =>
    connect(connection, {
      max,
      connection: {
        application_name: applicationName,
        role: appRole,
        'ticketwire.viewer_role': viewerRole,
        TimeZone: 'UTC',
        statement_timeout: String(answerWithinMs),
        idle_in_transaction_session_timeout: String(idleInTransactionMs),
        jit: 'off',
        // The statements are many-armed and their plans hardly depend on their values: planning each anew costs more than running it.
        plan_cache_mode: 'force_generic_plan',
      } as Record<string, string>,
    });
  const pools = {
    desk: open(poolSize, 'DESK'),
    operators: open(poolSize, 'OPERATOR'),
    requesters: open(poolSize, ''),
    raw: open(5, 'DESK'),
  };
  // The server's own clock goes first: when it says that it has given up, nothing was done.
  const over = (pool: postgres.Sql): Db =>
    drizzle(withDeadline(pool, 1.5 * answerWithinMs), { schema: tables });
  const desk = over(pools.desk);
  const operators = over(pools.operators);
  const requesters = over(pools.requesters);
  const { raw } = pools;
  return {
    desk,
    raw,
    listener: () => open(1, 'DESK'),
    readAs(viewer, read) {
      // No row hides from one operator and not from another: their pool says so once, and each of their reads is one round trip.
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
    async check() {
      const [row] = await raw<{ name: string; free: boolean; owner: boolean }[]>`
        select current_user as name, rolsuper or rolbypassrls as free,
          exists (select from pg_tables where schemaname = 'public' and tablename = 'messages' and tableowner = current_user) as owner
        from pg_roles where rolname = current_user`;
      if (!row || row.free || row.owner) throw new Error(`role ${row?.name} could bypass row-level security`);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(Object.values(pools).map((pool) => pool.end({ timeout: 5 })));
    },
  };
}

/** Brings the database to this version's tables, as its owner. Processes that start together wait for one another. */
export async function migrate(connection: Connection): Promise<void> {
  const client = connect(connection, { max: 1 });
  try {
    await client`select pg_advisory_lock(${migrationLock})`;
    await runMigrations(drizzle(client), { migrationsFolder });
  } finally {
    await client.end({ timeout: 5 });
  }
}

function connect(connection: Connection, options: postgres.Options<Record<string, never>>): postgres.Sql {
  const shared = { connect_timeout: 10, onnotice: () => {}, ...options } as postgres.Options<
    Record<string, never>
  >;
  return typeof connection === 'string'
    ? postgres(connection, shared)
    : postgres({ ...connection, ...shared } as typeof shared);
}
