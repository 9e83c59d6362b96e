import { Refusal } from '../platform/errors.ts';
import { decodeGlobalId } from '../platform/global-id.ts';

/** Exactly one way of naming a ticket; GraphQL's `@oneOf` sees to the "exactly one". */
export interface TicketSelector {
  readonly id?: string | null;
  readonly ticketId?: number | null;
  readonly reference?: string | null;
}

export interface ResolvedSelector {
  readonly ticketId: number | null;
  readonly reference: string | null;
}

/** There is no such ticket, or its viewer may not see it: the two cannot be told apart. */
export const ticketNotFound = (): Refusal<'TICKET_NOT_FOUND'> =>
  new Refusal('TICKET_NOT_FOUND', 'There is no such ticket', undefined, ['ticket']);

/**
 * What a selector means to the database. One that cannot name any ticket names the ticket 0, which does not
 * exist.
 */
export function resolveSelector({ id, ticketId, reference }: TicketSelector): ResolvedSelector {
  if (id != null) return { ticketId: decodeGlobalId('Ticket', id) ?? 0, reference: null };
  if (ticketId != null) return { ticketId, reference: null };
  const text = reference ?? '';
  const storable = text !== '' && text.length <= 200 && !text.includes('\0') && text.isWellFormed();
  return storable ? { ticketId: null, reference: text } : { ticketId: 0, reference: null };
}
