import type { PgDatabase } from 'drizzle-orm/pg-core';
import { drizzle, type PostgresJsDatabase, type PostgresJsQueryResultHKT } from 'drizzle-orm/postgres-js';
import type postgres from 'postgres';
import type { PoolLoad } from '../observe/gauges.ts';
import type { RowAccess } from './assert-suitable.ts';
import { type Connection, endClient, openClient } from './driver/client.ts';
import { closeSilentConnections } from './driver/close-silent-connections.ts';
import { withDeadline } from './driver/deadline.ts';
import { LoadCounter } from './driver/pool-load.ts';
import { queryBackends } from './driver/query-backends.ts';

/** A Drizzle database. */
export type Db = PostgresJsDatabase;
/** A Drizzle database with the client that it uses. */
export type DbPool = Db & { readonly $client: postgres.Sql };
/** What a query needs. A pool and a transaction both have it. */
export type Reader = Pick<
  PgDatabase<PostgresJsQueryResultHKT>,
  'select' | 'selectDistinct' | 'execute' | '$with' | 'with'
>;
/** A Drizzle transaction. */
export type Tx = Parameters<Parameters<Db['transaction']>[0]>[0];
/** The gateway's role. Migrations run as the owner, which is the connection's login. */
export const appRole = 'ticketwire_app';
/** How long a gateway that disappeared during a transaction may hold its locks. */
const idleInTransactionMs = 60_000;

/** What all connections to a server have in common. */
export interface PoolsOptions {
  /** `application_name` of the connections. */
  readonly applicationName: string;
  /** Milliseconds after which the server ends a statement, including its wait for a lock. */
  readonly answerWithinMs: number;
}

/** The options of one pool of connections. */
export interface PoolOptions {
  /** Maximum number of connections. */
  readonly max: number;
  readonly rowAccess: RowAccess;
  /**
   * Milliseconds that a statement waits for a lock; 0, the default: only the statement's own limit applies.
   */
  readonly lockTimeoutMs?: number;
  /** Milliseconds after which the server ends a statement; `answerWithinMs` by default, and at most. */
  readonly statementTimeoutMs?: number;
  /** Whether statements are meant to wait behind others. They are not counted as waiting then. */
  readonly isPipelined?: boolean;
}

/**
 * The pools of connections to one server. Disposing of them waits for the statements under way, for 5 s at
 * most, and closes all connections except the listeners'.
 */
export interface Pools extends AsyncDisposable {
  /**
   * Opens a pool of plain postgres.js. Connections are opened on demand. In this process its statements have
   * no time limit of their own.
   * @param name the pool's name in the metrics
   */
  open(name: string, options: PoolOptions): postgres.Sql;
  /**
   * The same for Drizzle. Its statements and transactions have a time limit in this process as well: after
   * 1.5 times `answerWithinMs` they reject with Unavailable.
   */
  openDb(name: string, options: PoolOptions): DbPool;
  /** Opens a client with one connection, for LISTEN. It sees every row. The caller closes it. */
  listener(): postgres.Sql;
  /**
   * Says that connections may lead to a server on which nothing can be written. If new ones lead to a
   * primary, those to any other server are closed.
   */
  doubt(): void;
  /** The load of each pool, in the order in which they were opened, and of `listeners` together. */
  loads(): PoolLoad[];
}

/**
 * Prepares pools of connections to a server, of which none is open yet. Each connection acts as the role
 * `ticketwire_app`, in UTC. Connections on which the server no longer answers are closed.
 */
export function openPools(connection: Connection, { applicationName, answerWithinMs }: PoolsOptions): Pools {
  const loads: LoadCounter[] = [];
  const clients = new Map<postgres.Sql, LoadCounter>();
  const listeners = new LoadCounter('listeners', 1);
  const connect = (
    load: LoadCounter,
    { max, rowAccess, lockTimeoutMs = 0, statementTimeoutMs = answerWithinMs }: PoolOptions,
  ) =>
    openClient(connection, {
      max,
      wires: load.wires,
      applicationName,
      settings: settingsOf({
        ...{ rowAccess, lockTimeoutMs },
        statementTimeoutMs: Math.min(statementTimeoutMs, answerWithinMs),
      }),
    });
  function openWith(load: LoadCounter, options: PoolOptions): postgres.Sql {
    const client = connect(load, options);
    loads.push(load);
    clients.set(client, load);
    return client;
  }
  const watch = closeSilentConnections({
    wires: {
      *[Symbol.iterator]() {
        for (const { wires } of [...loads, listeners]) yield* wires;
      },
    },
    ask: queryBackends(connection),
    endAfterMs: 1.25 * answerWithinMs + 250,
  });
  return {
    open: (name, options) => openWith(new LoadCounter(name, options.max), options),
    openDb(name, options) {
      const load = new LoadCounter(name, options.max, { isCounted: !options.isPipelined });
      // The server's statement_timeout comes first, because after it we know that nothing was written.
      return drizzle(withDeadline(openWith(load, options), 1.5 * answerWithinMs, load));
    },
    listener: () => connect(listeners, { max: 1, rowAccess: 'DESK' }),
    doubt: () => watch.doubt(),
    loads: () => [...loads, listeners].map((load) => load.now()),
    async [Symbol.asyncDispose]() {
      await Promise.all(Array.from(clients, ([client, load]) => endClient(client, () => load.isInUse)));
      watch[Symbol.dispose]();
    },
  };
}

/**
 * How statements are read, how values are written, and what a transaction sees. A login or a database may
 * have other defaults, with which we would misread dates and digests, without an error.
 */
const forms = {
  DateStyle: 'ISO',
  bytea_output: 'hex',
  extra_float_digits: '1',
  standard_conforming_strings: 'on',
  array_nulls: 'on',
  transform_null_equals: 'off',
  default_transaction_isolation: 'read committed',
  IntervalStyle: 'postgres',
  // Off, a requester's read would be an error instead of their own rows.
  row_security: 'on',
  // Otherwise a search would find some of what there is, at random.
  gin_fuzzy_search_limit: '0',
  // Connections of a pool are idle when nobody calls.
  idle_session_timeout: '0',
  // Uploads wait longer for a lock than an administrator may expect of a transaction.
  transaction_timeout: { value: '0', where: "current_setting('server_version_num')::int >= 170000" },
  // What was acknowledged would be lost with the server. `local` and stronger are left as they are.
  synchronous_commit: { value: 'on', where: "current_setting('synchronous_commit') = 'off'" },
};

interface SessionLimits {
  readonly rowAccess: RowAccess;
  readonly statementTimeoutMs: number;
  readonly lockTimeoutMs: number;
}

/** Run-time parameters of each connection. */
const settingsOf = ({ rowAccess, statementTimeoutMs, lockTimeoutMs }: SessionLimits) => ({
  role: appRole,
  'ticketwire.viewer_role': rowAccess,
  search_path: 'public',
  TimeZone: 'UTC',
  ...forms,
  statement_timeout: String(statementTimeoutMs),
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
