import { setTimeout as sleep } from 'node:timers/promises';
import { eq, sql } from 'drizzle-orm';
import type { Tx } from '../db/database.ts';
import { tickets } from '../db/tables.ts';
import { asUnavailable, isLockTimeout } from '../platform/database-faults.ts';
import type { TicketContext } from './context.ts';

/** How long a command waits for locks in all, milliseconds. The pauses do not count. */
const patienceMs = 3000;
/**
 * How long of that it waits in one go, with a connection, and how long it does without one then,
 * milliseconds. There are five connections, which uploads and readiness need as well.
 */
const waitMs = 250;
const pauseMs = 100;

/**
 * Runs a command that locks rows, in one transaction, and returns its result after the commit. When a lock is
 * not granted within 250 ms, the transaction is rolled back, and begins again a moment later.
 * @param run called for each attempt. When it throws, the transaction is rolled back, and the error is thrown
 *   on
 * @throws Unavailable when the database does not answer in time, a deadlock ended the transaction, or a lock
 *   is not granted within three seconds. Unless `nothingWritten` is true, it may have been committed.
 */
export async function inTransaction<T>({ services }: TicketContext, run: (tx: Tx) => Promise<T>): Promise<T> {
  for (let waitedMs = 0; ; await sleep(pauseMs)) {
    try {
      return await services.database.commands.transaction(async (tx) => {
        await waitBriefly(tx);
        return run(tx);
      });
    } catch (error) {
      waitedMs += waitMs;
      if (!isLockTimeout(error) || waitedMs >= patienceMs) throw asUnavailable(error);
    }
  }
}

const waitBriefly = (tx: Tx) =>
  tx
    .select({ set: sql`set_config('lock_timeout', ${sql.raw(`'${waitMs}'`)}, true)` })
    .from(sql`(select) as nothing`)
    .prepare('wait_briefly_for_locks')
    .execute();

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
