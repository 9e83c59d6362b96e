import { eq } from 'drizzle-orm';
import type { Tx } from '../db/database.ts';
import { tickets } from '../db/tables.ts';
import { asUnavailable } from '../platform/database-faults.ts';
import type { TicketContext } from './context.ts';

/**
 * All or nothing of a command that locks rows.
 * @throws Unavailable when the database is not there, or somebody holds a lock for longer than three seconds
 */
export async function inTransaction<T>({ services }: TicketContext, run: (tx: Tx) => Promise<T>): Promise<T> {
  return services.database.commands.transaction(run).catch((error) => {
    throw asUnavailable(error);
  });
}

/** Everything that changes a ticket's conversation takes turns here; what is read after it is fresh. */
export async function lockTicket(tx: Tx, ticketId: number): Promise<void> {
  await tx
    .select({ id: tickets.id })
    .from(tickets)
    .where(eq(tickets.id, ticketId))
    .for('no key update')
    .prepare('lock_ticket')
    .execute();
}
