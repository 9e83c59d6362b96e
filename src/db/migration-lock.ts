import { readMigrationFiles } from 'drizzle-orm/migrator';
import type postgres from 'postgres';

/** Arbitrary, but the same for all gateways of a database. */
const migrationLock = 7_407_470_001;

/** Of which version the tables are, compared with this one. `older`: migrations of this version are missing. */
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
