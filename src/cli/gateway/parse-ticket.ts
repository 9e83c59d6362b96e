import type { TicketSelector } from '../../tickets/ticket-selector.ts';

/** Parses a ticket as it is typed: up to nine digits are an id, anything else is a reference. */
export const parseTicket = (typed: string): TicketSelector =>
  /^\d{1,9}$/.test(typed) ? { ticketId: Number(typed) } : { reference: typed };
