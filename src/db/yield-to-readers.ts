import { setTimeout as sleep } from 'node:timers/promises';
import type postgres from 'postgres';
import { isConflict, isLockTimeout } from '../platform/database-faults.ts';

/**
 * How long a migration's statement waits for a table, milliseconds. All reads of the table wait behind it, and
 * are given up after DATABASE_TIMEOUT. It is longer than `deadlock_timeout`, 1 s by default, after which
 * PostgreSQL ends an autovacuum that stands in the way.
 */
const waitMs = 2000;
/** How long others use the tables before the next attempt, milliseconds, at first and at most. */
const leastPauseMs = 1000;
const mostPauseMs = 10_000;

/** Limits the waits for locks of a transaction's later statements. They fail, so that `yieldToReaders` applies. */
export const waitBriefly = async (tx: postgres.TransactionSql): Promise<void> =>
  void (await tx`select set_config('lock_timeout', ${String(waitMs)}, true)`);

/**
 * Runs a transaction that called `waitBriefly`, and runs it again after a pause each time it could not lock a
 * table, or was in a deadlock, for as long as that takes. Otherwise one transaction that reads for hours, such
 * as a backup, would stop all reads of a table that a migration changes.
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
