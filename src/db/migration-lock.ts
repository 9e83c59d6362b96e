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
  client: postgres.Sql,
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
 */
export async function takeMigrationLock(
  tx: postgres.TransactionSql,
  say: (waitsFor: string) => void,
): Promise<void> {
  const [free] = await tx`select pg_try_advisory_xact_lock(${migrationLock}) as taken`;
  if (free!.taken) return;
  const [holder] = await tx<{ pid: number; name: string | null }[]>`
    select l.pid, a.application_name as name
    from pg_locks l left join pg_stat_activity a on a.pid = l.pid
    where l.locktype = 'advisory' and l.granted
      and l.database = (select oid from pg_database where datname = current_database())
      and (l.classid::bigint << 32) + l.objid::bigint = ${migrationLock}`;
  const by = holder && `, held by PostgreSQL's process ${holder.pid} (${holder.name || 'no name'})`;
  say(`the migration lock${by ?? ''}`);
  await tx`select pg_advisory_xact_lock(${migrationLock})`;
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

/** Limits the waits for locks of a transaction's later statements, which fail: see `yieldToReaders`. */
export const waitBriefly = async (tx: postgres.TransactionSql): Promise<void> =>
  void (await tx`select set_config('lock_timeout', ${String(waitMs)}, true)`);

/**
 * Runs a transaction that called `waitBriefly`, and runs it again after a pause each time it could not lock a
 * table, or was in a deadlock, for as long as that takes. Otherwise one transaction that reads for hours,
 * such as a backup, would stop all reads of a table that a migration changes.
 * @param say called with who may be using the tables, when that changes
 * @throws what `run` throws, other than for a lock
 */
export async function yieldToReaders(
  client: postgres.Sql,
  run: () => Promise<unknown>,
  say: (waitsFor: string) => void,
): Promise<void> {
  let said: string | undefined;
  for (let pauseMs = leastPauseMs; ; pauseMs = Math.min(2 * pauseMs, mostPauseMs)) {
    try {
      await run();
      return;
    } catch (error) {
      if (!isLockTimeout(error) && !isConflict(error)) throw error;
    }
    const waitsFor = await findUsers(client);
    if (waitsFor !== said) say(waitsFor);
    said = waitsFor;
    await sleep(pauseMs);
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
