import { fileURLToPath } from 'node:url';
import { type ExtractTablesWithRelations, sql } from 'drizzle-orm';
import type { PgTransaction } from 'drizzle-orm/pg-core';
import { drizzle, type PostgresJsDatabase, type PostgresJsQueryResultHKT } from 'drizzle-orm/postgres-js';
import { migrate as runMigrations } from 'drizzle-orm/postgres-js/migrator';
import postgres from 'postgres';
import type { Viewer } from '../context.ts';
import { Unavailable } from '../errors.ts';
import * as tables from './tables.ts';

type Schema = typeof tables;
export type Db = PostgresJsDatabase<Schema>;
export type Tx = PgTransaction<PostgresJsQueryResultHKT, Schema, ExtractTablesWithRelations<Schema>>;
/** Options for postgres.js: a URL, or a socket of the embedded server. */
export type Connection =
  | string
  | { host?: string; path?: string; port: number; user: string; password?: string; database: string };

/** The role that the gateway works as; migrations run as the owner that the connection signs in as. */
export const appRole = 'ticketwire_app';
const migrationsFolder = fileURLToPath(new URL('../../schema/migrations', import.meta.url));
/** Any constant will do, as long as all gateways of a database use the same. */
const migrationLock = 7_407_470_001;

export interface Database extends AsyncDisposable {
  /** The desk's own work: sees every row. Nothing a viewer asks for is read through it without the viewer's rule beside it. */
  readonly desk: Db;
  /** Raw postgres.js of the same role, for LISTEN; Drizzle changes the parsers of the client it is given. */
  readonly raw: postgres.Sql;
  /** Reads as the viewer: row-level security stands behind whatever is asked. Statements of one call see one snapshot. */
  readAs<T>(viewer: Viewer, read: (tx: Tx) => Promise<T>): Promise<T>;
  /** Rejects with what is wrong: no answer, or a role that could bypass row-level security. */
  check(): Promise<void>;
}

export interface DatabaseOptions {
  /** Connections of the pool at most. */
  poolSize?: number;
  applicationName?: string;
}

export function openDatabase(
  connection: Connection,
  { poolSize = 10, applicationName = 'ticketwire' }: DatabaseOptions = {},
): Database {
  const open = (max: number) =>
    connect(connection, {
      max,
      connection: {
        application_name: applicationName,
        role: appRole,
        'ticketwire.viewer_role': 'DESK',
        TimeZone: 'UTC',
      },
    });
  const client = open(poolSize);
  const raw = open(2);
  const desk = drizzle(client, { schema: tables });
  return {
    desk,
    raw,
    readAs: (viewer, read) =>
      desk.transaction(
        async (tx) => {
          await tx.execute(
            sql`select set_config('ticketwire.viewer_role', ${viewer.role}, true), set_config('ticketwire.viewer_id', ${String(viewer.userId)}, true)`,
          );
          return read(tx);
        },
        { accessMode: 'read only', isolationLevel: 'repeatable read' },
      ),
    async check() {
      const [row] = await raw<{ name: string; free: boolean; owner: boolean }[]>`
        select current_user as name, rolsuper or rolbypassrls as free,
          exists (select from pg_tables where schemaname = 'public' and tablename = 'messages' and tableowner = current_user) as owner
        from pg_roles where rolname = current_user`;
      if (!row || row.free || row.owner) throw new Error(`role ${row?.name} could bypass row-level security`);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([client.end({ timeout: 5 }), raw.end({ timeout: 5 })]);
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

/** SQLSTATE of a driver's error, however deep it is wrapped; a connection's fault has the driver's own code. */
export function sqlState(error: unknown): string | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    const { code } = at as { code?: unknown };
    if (typeof code === 'string') return code;
  }
  return undefined;
}

const connectionFaults =
  /^(08|57P0|53)|^(CONNECTION_|CONNECT_TIMEOUT|ECONN|ENOENT|EPIPE|ETIMEDOUT|ENOTFOUND)/;

/** Turns a database that is down, starting or full into `Unavailable`; every other error stays what it is. */
export function asUnavailable(error: unknown): unknown {
  const state = sqlState(error);
  return state !== undefined && connectionFaults.test(state)
    ? new Unavailable('The database does not answer', 2, { cause: error })
    : error;
}
