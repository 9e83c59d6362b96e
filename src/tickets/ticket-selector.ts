import { Refusal } from '../platform/errors.ts';
import { decodeGlobalId } from '../platform/global-id.ts';

/**
 * Names a ticket in exactly one of three forms: global id, number or reference. GraphQL's `@oneOf` enforces
 * "exactly one".
 */
export interface TicketSelector {
  /** Global id. */
  readonly id?: string | null;
  /** The ticket's number. */
  readonly ticketId?: number | null;
  /** Such as `INC-000047`, in any case. */
  readonly reference?: string | null;
}

/** A parsed selector: one of the two is not null. */
export interface ResolvedSelector {
  readonly ticketId: number | null;
  readonly reference: string | null;
}

/**
 * Makes the refusal for a ticket that does not exist, and for one that the viewer may not see. The two cannot
 * be distinguished.
 */
export const ticketNotFound = (): Refusal<'TICKET_NOT_FOUND'> =>
  new Refusal('TICKET_NOT_FOUND', 'There is no such ticket', undefined, ['ticket']);

/**
 * Parses a selector, without the database, to a ticket's number or a reference. If several forms are given,
 * the first of id, number and reference counts. A selector that is malformed or empty becomes the number 0,
 * which no ticket has. A reference that has more than 200 characters, or contains U+0000 or a lone surrogate,
 * becomes 0 too.
 */
export function resolveSelector({ id, ticketId, reference }: TicketSelector): ResolvedSelector {
  if (id != null) return { ticketId: decodeGlobalId('Ticket', id) ?? 0, reference: null };
  if (ticketId != null) return { ticketId, reference: null };
  const text = reference ?? '';
  const storable = text !== '' && text.length <= 200 && !text.includes('\0') && text.isWellFormed();
  return storable ? { ticketId: null, reference: text } : { ticketId: 0, reference: null };
}
