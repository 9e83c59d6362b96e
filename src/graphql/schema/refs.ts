import type { PageMessage } from '../../tickets/read/conversation.ts';
import type { Message } from '../../tickets/read/messages.ts';
import type { Ticket, TicketWithRequester } from '../../tickets/read/tickets.ts';
import { builder } from './builder.ts';

/* References of types that refer to each other: a ticket has messages, and a message has its ticket. */

/** A message with its related rows, as a page loads it, or without them: they are then loaded on demand. */
export const MessageRef = builder.objectRef<Message | PageMessage>('TicketMessage');

export const TicketRef = builder.objectRef<Ticket | TicketWithRequester>('Ticket');
