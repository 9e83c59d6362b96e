import { requireViewer } from '../../tickets/policy.ts';
import { eventCursor, messagesOf } from '../../tickets/read/cursor.ts';
import { readPage } from '../../tickets/read/page.ts';
import { countTickets, findTicket, listTickets } from '../../tickets/read/tickets.ts';
import { builder } from './builder.ts';
import { TicketStatusEnum } from './enums.ts';
import { MessageConnection } from './message.ts';
import { connectionOf, costOfCounting, pageComplexity, totalCount } from './page.ts';
import { PersonRef } from './person.ts';
import { MessageRef, TicketRef } from './refs.ts';

builder.node(TicketRef, {
  description: 'One request for help and its conversation.',
  id: { resolve: ({ id }) => id },
  fields: (t) => ({
    ticketId: t.exposeInt('id', { description: 'Number of the ticket, as the legacy endpoint uses it: 47.' }),
    reference: t.exposeString('reference', {
      description: 'What people call the ticket: `INC-000047`. It is in the subject of every mail.',
    }),
    subject: t.exposeString('subject', { description: 'What it is about, in one line.' }),
    status: t.expose('status', { type: TicketStatusEnum, description: 'Whether it is still worked on.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was opened.' }),
    requester: t.field({
      type: PersonRef,
      description: 'The person whom the ticket is for; e-mail replies go to them.',
      resolve: (ticket, _args, ctx) =>
        'requester' in ticket
          ? ticket.requester
          : ctx.load.person.load(ticket.requesterId).then((person) => person!),
    }),
    messages: t.connection(
      {
        type: MessageRef,
        nullable: true,
        description: 'The messages that the viewer may see, oldest first. Needs the scope READ.',
        complexity: pageComplexity,
        resolve: async (ticket, args, ctx) => {
          requireViewer(ctx, 'read');
          const page = await readPage(messagesOf(ticket.id), args, (of) =>
            ctx.load.messagesOf(ticket.id, of),
          );
          return connectionOf(page, () => ticket.messageCount);
        },
      },
      MessageConnection,
    ),
    messageCount: t.exposeInt('messageCount', {
      description: 'How many messages there are that the viewer may see.',
    }),
    cursor: t.string({
      description:
        "Cursor of the ticket's events as they are now: pass it to `ticketEvents(after:)` for what comes " +
        'next.',
      resolve: ({ id, cursor }, _args, ctx) => eventCursor(requireViewer(ctx), id, cursor),
    }),
  }),
});

export const TicketSelectorInput = builder.inputType('TicketSelector', {
  description: 'Names one ticket, in exactly one way. Example: `{ reference: "INC-000047" }`.',
  isOneOf: true,
  fields: (t) => ({
    id: t.id({ description: 'Global id: `"VGlja2V0OjQ3"`.' }),
    ticketId: t.int({ description: 'Number, as the legacy endpoint uses it: `47`.' }),
    reference: t.string({
      description: 'What people call it: `"INC-000047"`. Upper and lower case are the same.',
    }),
  }),
});

const TicketConnection = builder.connectionObject(
  {
    type: TicketRef,
    name: 'TicketConnection',
    description: 'One page of tickets.',
    fields: (t) => ({ totalCount: t.int(totalCount(costOfCounting)) }),
  },
  { name: 'TicketEdge', description: 'A ticket and its place in the list.' },
);

builder.queryFields((t) => ({
  ticket: t.field({
    type: TicketRef,
    nullable: true,
    description:
      'One ticket. Null when there is no such ticket and when the viewer may not see it: the two cannot ' +
      'be told apart.',
    args: { by: t.arg({ type: TicketSelectorInput, required: true, description: 'Which one.' }) },
    resolve: (_root, { by }, ctx) => findTicket(ctx, by),
  }),
  tickets: t.connection(
    {
      type: TicketRef,
      nullable: true,
      description: 'The tickets that the viewer may see, newest first. Needs the scope READ.',
      args: { status: t.arg({ type: TicketStatusEnum, description: 'Only those in this status.' }) },
      complexity: pageComplexity,
      resolve: async (_root, { status, ...paging }, ctx) =>
        connectionOf(await listTickets(ctx, { status }, paging), () => countTickets(ctx, { status })),
    },
    TicketConnection,
  ),
}));
