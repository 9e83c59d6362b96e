import { setTimeout as sleep } from 'node:timers/promises';
import { eq, sql } from 'drizzle-orm';
import type { Db, Tx } from '../db/database.ts';
import { tickets } from '../db/tables.ts';
import { asUnavailable, isLockTimeout } from '../platform/database-faults.ts';
import type { TicketContext } from './context.ts';

/** How long a command goes on after it has first met a lock, milliseconds. */
const patienceMs = 3000;
/**
 * How long an attempt waits for a lock with a connection at least, milliseconds. There are five connections,
 * which uploads and readiness need as well.
 */
const waitMs = 30;
/**
 * How long a command that waits alone waits in one attempt, milliseconds; several in a process share this
 * time. Where others lock a row one behind the other, each attempt comes behind all that wait: with 30 ms, it
 * would never have its turn if their commits together took longer.
 */
const aloneMs = 250;
/**
 * The average pause between two attempts, milliseconds, for each command that waits in this process, and 50
 * at least. So all of them together use two connections or less, however many they are.
 */
const pauseMs = 15;
/** Number of commands that wait, by their pool. */
const crowds = new WeakMap<Db, number>();

/**
 * Runs a command that locks rows, in one transaction, and returns its result after the commit. When a lock is
 * not granted within 30 ms, the transaction is rolled back, and begins again after a pause without a
 * connection. Then it waits for up to 250 ms if few others do.
 * @param run called for each attempt. When it throws, the transaction is rolled back, and the error is thrown
 *   on
 * @throws Unavailable when the database does not answer in time, a deadlock ended the transaction, or a lock
 *   is not granted within three seconds. Unless `nothingWritten` is true, it may have been committed.
 */
export async function inTransaction<T>({ services }: TicketContext, run: (tx: Tx) => Promise<T>): Promise<T> {
  const { commands } = services.database;
  const attempt = (forMs: number) =>
    commands.transaction(async (tx) => {
      await waitBriefly(tx, forMs);
      return run(tx);
    });
  try {
    return await attempt(waitMs).catch((error) => {
      if (!isLockTimeout(error)) throw error;
      return amongOthers(commands, attempt);
    });
  } catch (error) {
    throw asUnavailable(error);
  }
}

/** Repeats an attempt that has met a lock. @throws the error of the last attempt */
async function amongOthers<T>(pool: Db, attempt: (forMs: number) => Promise<T>): Promise<T> {
  const giveUpAt = performance.now() + patienceMs;
  const join = (by: number) => crowds.set(pool, (crowds.get(pool) ?? 0) + by);
  join(1);
  try {
    for (;;) {
      // At random, or those who came together would come back together.
      const pause = Math.max(50, crowds.get(pool)! * pauseMs * (0.5 + Math.random()));
      const left = giveUpAt - performance.now();
      await sleep(Math.max(0, Math.min(pause, left)));
      try {
        return await attempt(Math.max(waitMs, Math.round(aloneMs / crowds.get(pool)!)));
      } catch (error) {
        if (!isLockTimeout(error) || performance.now() >= giveUpAt) throw error;
      }
    }
  } finally {
    join(-1);
  }
}

const waitBriefly = (tx: Tx, forMs: number) =>
  tx
    .select({ set: sql`set_config('lock_timeout', ${sql.placeholder('forMs')}, true)` })
    .from(sql`(select) as nothing`)
    .prepare('wait_briefly_for_locks')
    .execute({ forMs: String(forMs) });

/**
 * Locks the ticket's row until the transaction ends, so that changes of its conversation happen one after
 * another. Rows that are read afterwards are current. Locks nothing if there is no such ticket.
 */
export async function lockTicket(tx: Tx, ticketId: number): Promise<void> {
  await tx
    .select({ id: tickets.id })
    .from(tickets)
    .where(eq(tickets.id, ticketId))
    .for('no key update')
    .prepare('lock_ticket')
    .execute();
}
