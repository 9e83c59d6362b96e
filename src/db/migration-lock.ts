import { setTimeout as sleep } from 'node:timers/promises';
import { readMigrationFiles } from 'drizzle-orm/migrator';
import type postgres from 'postgres';
import { isConflict, isLockTimeout } from '../platform/database-faults.ts';

/** Arbitrary, but the same for all gateways of a database. */
const migrationLock = 7_407_470_001;

/** Of which version the tables are, compared with this one. `older`: migrations of this one are missing. */
export type TablesVersion = 'older' | 'same' | 'later';

/**
 * Finds out which migrations have been applied.
 * @param migrationsFolder path of `schema/migrations`
 */
export async function findTablesVersion(
  client: postgres.ISql,
  migrationsFolder: string,
): Promise<TablesVersion> {
  const [made] = await client`select to_regclass('drizzle.__drizzle_migrations') as made`;
  if (made!.made === null) return 'older';
  const [last] = await client`select max(created_at)::text as at from drizzle.__drizzle_migrations`;
  const ours = Math.max(...readMigrationFiles({ migrationsFolder }).map((file) => file.folderMillis));
  const theirs = Number(last!.at);
  return theirs < ours ? 'older' : theirs === ours ? 'same' : 'later';
}

/**
 * Takes the migration lock, which the transaction holds until its end. Waits for it without a time limit.
 * @param say called with what the start is waiting for, if another process holds the lock
 * @returns whether another process held it
 */
export async function takeMigrationLock(
  tx: postgres.TransactionSql,
  say: (waitsFor: string) => void,
): Promise<boolean> {
  const [free] = await tx`select pg_try_advisory_xact_lock(${migrationLock}) as taken`;
  if (free!.taken) return false;
  const [holder] = await tx<{ pid: number; name: string | null }[]>`
    select l.pid, a.application_name as name
    from pg_locks l left join pg_stat_activity a on a.pid = l.pid
    where l.locktype = 'advisory' and l.granted
      and l.database = (select oid from pg_database where datname = current_database())
      and (l.classid::bigint << 32) + l.objid::bigint = ${migrationLock}`;
  const by = holder && `, held by PostgreSQL's process ${holder.pid} (${holder.name || 'no name'})`;
  say(`the migration lock${by ?? ''}`);
  await tx`select pg_advisory_xact_lock(${migrationLock})`;
  return true;
}

/**
 * A client for Drizzle's migrator that runs everything in this transaction; what it begins is a savepoint. It
 * has `options`, `unsafe` and `begin` alone.
 */
export const clientWithin = (client: postgres.Sql, tx: postgres.TransactionSql): postgres.Sql =>
  Object.assign((() => {}) as unknown as postgres.Sql, {
    options: client.options,
    unsafe: tx.unsafe,
    begin: (run: (part: postgres.TransactionSql) => Promise<unknown>) => tx.savepoint(run),
  });

/**
 * What an administrator may have set for the owner's login or for the database, and with which a migration
 * would fail, or end unfinished at each start on a large desk.
 */
const ownerSettings = {
  search_path: 'public',
  standard_conforming_strings: 'on',
  statement_timeout: '0',
  lock_timeout: '0',
  idle_in_transaction_session_timeout: '0',
};

const setOwner = [
  ...Object.entries(ownerSettings).map(([name, value]) => `set_config('${name}', '${value}', true)`),
  // PostgreSQL 17 and newer.
  "case when current_setting('server_version_num')::int >= 170000 then " +
    "set_config('transaction_timeout', '0', true) end",
].join(', ');

/**
 * Runs statements of the tables' owner in one transaction without time limits, in the schema `public`. The
 * settings belong to the transaction: a pooler would pass a session's on to another client.
 */
export const ownerTransaction = (
  client: postgres.Sql,
  run: (tx: postgres.TransactionSql) => Promise<void>,
): Promise<unknown> =>
  client.begin('isolation level read committed', async (tx) => {
    await tx.unsafe(`select ${setOwner}`);
    await run(tx);
  });

/**
 * How long a migration's statement waits for a table, milliseconds. All reads of the table wait behind it,
 * and are given up after DATABASE_TIMEOUT. It is longer than `deadlock_timeout`, 1 s by default, after which
 * PostgreSQL ends an autovacuum that stands in the way.
 */
const waitMs = 2000;
/** How long others use the tables before the next attempt, milliseconds, at first and at most. */
const leastPauseMs = 1000;
const mostPauseMs = 10_000;

/** What `yieldToReaders` runs, and whom it tells. */
export interface Migration {
  /** Whether nothing is left to do, because another start has done it. */
  isDone(tx: postgres.TransactionSql): Promise<boolean>;
  run(tx: postgres.TransactionSql): Promise<void>;
  /** Called once with each thing that the start is waiting for. */
  say(waitsFor: string): void;
}

/**
 * Runs a migration in a transaction of the owner that holds the migration lock. When the transaction could
 * not lock a table within two seconds, or was in a deadlock, it is run again after a pause, for as long as
 * that takes. Otherwise one transaction that reads for hours, such as a backup, would stop all reads of a
 * table that the migration changes.
 *
 * The pause is made under the migration lock: otherwise starts that wait together would stop the readers one
 * after the other, without a pause. The transaction has no snapshot and no id then, so that nothing waits for
 * it, the desk's events least of all.
 * @throws what the migration throws, other than for a lock
 */
export async function yieldToReaders(client: postgres.Sql, migration: Migration): Promise<void> {
  const said = new Set<string>();
  const say = (waitsFor: string) => {
    if (!said.has(waitsFor)) migration.say(waitsFor);
    said.add(waitsFor);
  };
  const attempt = (pauseMs: number) =>
    ownerTransaction(client, async (tx) => {
      const didWait = await takeMigrationLock(tx, say);
      if (await migration.isDone(tx)) return;
      // Another start had to give way just now.
      await sleep(didWait ? Math.max(pauseMs, leastPauseMs) : pauseMs);
      await tx`select set_config('lock_timeout', ${String(waitMs)}, true)`;
      await migration.run(tx);
    });
  for (let pauseMs = 0; ; pauseMs = Math.min(Math.max(2 * pauseMs, leastPauseMs), mostPauseMs)) {
    try {
      await attempt(pauseMs);
      return;
    } catch (error) {
      if (!isLockTimeout(error) && !isConflict(error)) throw error;
    }
    say(await findUsers(client));
  }
}

/** Of other logins' transactions, only a member of `pg_monitor` sees since when they run. */
async function findUsers(client: postgres.Sql): Promise<string> {
  const [oldest] = await client<{ pid: number; name: string | null }[]>`
    select l.pid, a.application_name as name
    from pg_locks l join pg_class c on c.oid = l.relation left join pg_stat_activity a on a.pid = l.pid
    where l.locktype = 'relation' and l.granted and l.pid <> pg_backend_pid()
      and l.database = (select oid from pg_database where datname = current_database())
      and c.relnamespace = 'public'::regnamespace
    order by a.xact_start, l.pid limit 1`;
  const by = oldest && `, perhaps by PostgreSQL's process ${oldest.pid} (${oldest.name || 'no name'})`;
  return `tables that are in use${by ?? ''}`;
}
