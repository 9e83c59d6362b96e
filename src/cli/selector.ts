import type { TicketSelector } from '../tickets/selector.ts';

/** A ticket as it is typed: digits alone are its id, `INC-000047` is its reference. */
export const selectorOf = (typed: string): TicketSelector =>
  /^\d{1,9}$/.test(typed) ? { ticketId: Number(typed) } : { reference: typed };
