import type { PageMessage } from '../../tickets/read/conversation.ts';
import type { Message } from '../../tickets/read/messages.ts';
import type { Ticket, TicketWithRequester } from '../../tickets/read/tickets.ts';
import { builder } from './builder.ts';

/* Types that name each other: a ticket has messages, and a message has its ticket. */

/** As a page brings it, with what hangs on it; or alone, and what is asked of it is loaded. */
export const MessageRef = builder.objectRef<Message | PageMessage>('TicketMessage');

export const TicketRef = builder.objectRef<Ticket | TicketWithRequester>('Ticket');
