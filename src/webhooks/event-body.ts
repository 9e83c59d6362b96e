import { createHmac } from 'node:crypto';
import { eq } from 'drizzle-orm';
import type { Db } from '../db/database.ts';
import { tickets } from '../db/tables.ts';
import { encodeGlobalId } from '../platform/global-id.ts';
import type { TicketEvent } from '../tickets/events/event.ts';

const idOf = (type: string, id: number | null) => (id === null ? null : { id: encodeGlobalId(type, id) });

/**
 * Stable and opaque id of an event (`evt_` and 32 characters): an HMAC of its cursor, because the cursor
 * would reveal how many private events lie between two public ones.
 * @param key the desk's key for these ids
 */
export const eventId = (key: Buffer, { cursor }: TicketEvent): string =>
  `evt_${createHmac('sha256', key).update(cursor).digest('base64url').slice(0, 32)}`;

/**
 * The body of the request for an event, in JSON: its type, time and visibility, its ticket with the
 * reference, and the ids of its message and actor, which are null for an event without one. It contains no
 * text of a message: the receiver reads that with a credential. The caller has checked that the endpoint may
 * receive the event.
 * @param includesPrivate whether the endpoint receives private events. Only then does the body have the
 *   delivery's id and the cursor
 */
export async function webhookBody(db: Db, event: TicketEvent, includesPrivate: boolean): Promise<string> {
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
