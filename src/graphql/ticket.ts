import { requireViewer } from '../tickets/policy.ts';
import { findTicket, listTickets, type Ticket, type TicketWithRequester } from '../tickets/ticket.ts';
import { builder } from './builder.ts';
import { TicketStatusEnum } from './enums.ts';
import { MessageRef } from './message.ts';
import { connectionOf, pageComplexity } from './page.ts';
import { PersonRef } from './person.ts';

export const TicketRef = builder.objectRef<Ticket | TicketWithRequester>('Ticket');

builder.node(TicketRef, {
  description: 'One request for help and its conversation.',
  id: { resolve: ({ id }) => id },
  loadMany: (ids: string[], ctx) => Promise.all(ids.map((id) => ctx.load.ticket.load(Number(id)))),
  fields: (t) => ({
    ticketId: t.exposeInt('id', { description: 'The old integer.' }),
    reference: t.exposeString('reference', { description: 'INC-000047; compared without case.' }),
    subject: t.exposeString('subject'),
    status: t.expose('status', { type: TicketStatusEnum }),
    createdAt: t.expose('createdAt', { type: 'DateTime' }),
    requester: t.field({
      type: PersonRef,
      resolve: (ticket, _args, ctx) =>
        'requester' in ticket
          ? ticket.requester
          : ctx.load.person.load(ticket.requesterId).then((person) => person!),
    }),
    messages: t.connection({
      type: MessageRef,
      description: 'The messages that the viewer may see, oldest first. 20 a page unless told, 100 at most.',
      complexity: pageComplexity,
      resolve: (ticket, args, ctx) => {
        // A command's result may be looked at with the command's scope; the whole conversation is not its result.
        requireViewer(ctx, 'read');
        return connectionOf(args, (page) => ctx.load.messagesOf(ticket.id, page));
      },
    }),
    messageCount: t.exposeInt('messageCount', { description: 'Of the messages that the viewer may see.' }),
    cursor: t.string({
      description: "The ticket's event cursor, now: events after it are news.",
      resolve: ({ cursor }) => String(cursor),
    }),
  }),
});

export const TicketSelectorInput = builder.inputType('TicketSelector', {
  description: 'Exactly one way of naming a ticket.',
  isOneOf: true,
  fields: (t) => ({
    id: t.id({ description: 'The global id.' }),
    ticketId: t.int({ description: 'The old integer.' }),
    reference: t.string({ description: 'INC-000047; compared without case.' }),
  }),
});

builder.queryFields((t) => ({
  ticket: t.field({
    type: TicketRef,
    nullable: true,
    description:
      'Null when there is no such ticket and when the viewer may not see it, which cannot be told apart.',
    args: { by: t.arg({ type: TicketSelectorInput, required: true }) },
    resolve: (_root, { by }, ctx) => findTicket(ctx, by),
  }),
  tickets: t.connection({
    type: TicketRef,
    description: 'The tickets that the viewer may see, newest first. 20 a page unless told, 100 at most.',
    args: { status: t.arg({ type: TicketStatusEnum }) },
    complexity: pageComplexity,
    resolve: (_root, { status, ...args }, ctx) =>
      connectionOf(args, (page) => listTickets(ctx, { status: status ?? undefined }, page)),
  }),
}));
