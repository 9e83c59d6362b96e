import type { PageMessage, PageTicket } from '../../tickets/read/conversation/decode-rows.ts';
import type { Message } from '../../tickets/read/load-messages.ts';
import type { Ticket, TicketWithRequester } from '../../tickets/read/tickets.ts';
import { builder } from './builder.ts';

/*
 * In a file of their own, because these types refer to each other: a ticket has messages, and a message has
 * its ticket.
 */

/**
 * The type `TicketMessage`, whose fields are defined in message.ts and message-body.ts. Related rows that
 * were not loaded with the message are loaded on demand.
 */
export const MessageRef = builder.objectRef<Message | PageMessage>('TicketMessage');

/**
 * The type `Ticket`, whose fields are defined in ticket.ts. Its requester is loaded on demand if it was not
 * loaded with the ticket.
 */
export const TicketRef = builder.objectRef<Ticket | TicketWithRequester | PageTicket>('Ticket');
