import { createHmac } from 'node:crypto';
import { eq } from 'drizzle-orm';
import type { Db } from '../db/database.ts';
import { tickets } from '../db/tables.ts';
import { encodeGlobalId } from '../platform/global-id.ts';
import type { TicketEvent } from '../tickets/events/event.ts';

const idOf = (type: string, id: number | null) => (id === null ? null : { id: encodeGlobalId(type, id) });

/**
 * The id of an event in requests: always the same, and it says nothing else. The event's cursor would say how
 * many private events there are between two public ones.
 */
export const eventId = (key: Buffer, { cursor }: TicketEvent): string =>
  `evt_${createHmac('sha256', key).update(cursor).digest('base64url').slice(0, 32)}`;

/**
 * The body of the request for an event: its type and time, and the ids of its ticket, message and actor. It
 * contains no text of a message: the receiver reads that with a credential. The ids of deliveries and the
 * cursor are for endpoints that receive private events.
 */
export async function bodyOf(db: Db, event: TicketEvent, includesPrivate: boolean): Promise<string> {
  const { ticketId, messageId } = event;
  const [ticket] = await db
    .select({ reference: tickets.reference })
    .from(tickets)
    .where(eq(tickets.id, ticketId));
  return JSON.stringify({
    type: event.type,
    timestamp: event.createdAt.toISOString(),
    data: {
      visibility: event.visibility,
      ticket: { ...idOf('Ticket', ticketId), ticketId, reference: ticket?.reference },
      ticketMessage: messageId === null ? null : { ...idOf('TicketMessage', messageId), messageId },
      actor: idOf('Person', event.actorId),
      ...(includesPrivate ? { delivery: idOf('Delivery', event.deliveryId), cursor: event.cursor } : {}),
    },
  });
}
