import type { Reader } from '../../db/database.ts';
import { isAmong } from '../../db/statement-parts.ts';
import { tickets } from '../../db/tables.ts';

/**
 * Finds the number of each ticket's last event as operators count, by ticket id; 0 for a ticket without
 * events. Tickets that do not exist are missing.
 */
export async function findLastEventNumbers(
  db: Reader,
  ticketIds: readonly number[],
): Promise<ReadonlyMap<number, number>> {
  const rows = await db
    .select({ id: tickets.id, lastNumber: tickets.lastEventNumber })
    .from(tickets)
    .where(isAmong(tickets.id, ticketIds));
  return new Map(rows.map(({ id, lastNumber }) => [id, lastNumber]));
}
