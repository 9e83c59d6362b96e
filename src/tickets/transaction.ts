import { eq } from 'drizzle-orm';
import type { Tx } from '../db/database.ts';
import { tickets } from '../db/tables.ts';
import { asUnavailable } from '../platform/database-faults.ts';
import type { TicketContext } from './context.ts';

/**
 * Runs a command that locks rows in one transaction.
 * @throws Unavailable when the database cannot be reached, or when a lock is not granted within three seconds
 */
export async function inTransaction<T>({ services }: TicketContext, run: (tx: Tx) => Promise<T>): Promise<T> {
  return services.database.commands.transaction(run).catch((error) => {
    throw asUnavailable(error);
  });
}

/**
 * Locks the ticket's row until the transaction ends, so that changes of its conversation happen one after
 * another. Rows that are read afterwards are current.
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
