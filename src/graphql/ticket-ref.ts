import type { Ticket, TicketWithRequester } from '../tickets/ticket.ts';
import { builder } from './builder.ts';

/** Told of in ticket.ts. Here, as tickets lead to messages and messages to their tickets. */
export const TicketRef = builder.objectRef<Ticket | TicketWithRequester>('Ticket');
