import { eq } from 'drizzle-orm';
import type { Tx } from '../db/database.ts';
import { tickets } from '../db/tables.ts';
import { asUnavailable } from '../platform/database-faults.ts';
import type { TicketContext } from './context.ts';

/**
 * Runs a command that locks rows, in one transaction, and returns its result after the commit. It is not
 * retried.
 * @param run when it throws, the transaction is rolled back, and the error is thrown on
 * @throws Unavailable when the database does not answer in time, a deadlock ended the transaction, or a lock
 *   is not granted within three seconds. Unless `nothingWritten` is true, it may have been committed.
 */
export async function inTransaction<T>({ services }: TicketContext, run: (tx: Tx) => Promise<T>): Promise<T> {
  return services.database.commands.transaction(run).catch((error) => {
    throw asUnavailable(error);
  });
}

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
