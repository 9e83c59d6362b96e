import { requireViewer } from '../../tickets/permissions.ts';
import { eventCursor, messagesOf } from '../../tickets/read/cursor.ts';
import { readPage } from '../../tickets/read/pagination.ts';
import { findTicket } from '../../tickets/read/tickets.ts';
import { mostUnseen } from '../../tickets/seen-marks.ts';
import { messagesAhead, partsOf } from '../context/selection.ts';
import { builder } from './builder.ts';
import { TicketStatusEnum } from './enums.ts';
import { connectionOf, pageComplexity } from './lists/page.ts';
import { MessageConnection } from './message.ts';
import { MessageRef, TicketRef } from './object-refs.ts';
import { PersonRef } from './person-and-viewer.ts';

builder.node(TicketRef, {
  description: 'One request for help and its conversation.',
  id: { resolve: ({ id }) => id },
  fields: (t) => ({
    ticketId: t.exposeInt('id', { description: 'Number of the ticket, as the legacy endpoint uses it: 47.' }),
    reference: t.exposeString('reference', {
      description: "The ticket's reference: `INC-000047`. It is in the subject of every mail.",
    }),
    subject: t.exposeString('subject', { description: 'One line about the problem.' }),
    status: t.expose('status', { type: TicketStatusEnum, description: 'Whether the ticket is open.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was opened.' }),
    requester: t.field({
      type: PersonRef,
      description: 'The person whom the ticket is for. E-mail replies go to them.',
      resolve: (ticket, _args, ctx) =>
        'requester' in ticket && ticket.requester !== undefined
          ? ticket.requester
          : ctx.load.person.load(ticket.requesterId).then((person) => person!),
    }),
    messages: t.connection(
      {
        type: MessageRef,
        nullable: true,
        description: 'The messages that the viewer may see, oldest first. Needs the scope READ.',
        complexity: pageComplexity,
        resolve: async (ticket, args, ctx, info) => {
          requireViewer(ctx, 'read');
          const page = await readPage(messagesOf(ticket.id), args, (of) =>
            ctx.load.messagesOf(ticket.id, of, partsOf(info)),
          );
          return connectionOf(page, () => ({ rows: ticket.messageCount, isExact: true }));
        },
      },
      MessageConnection,
    ),
    messageCount: t.exposeInt('messageCount', {
      description: 'Number of messages that the viewer may see.',
    }),
    lastMessage: t.field({
      type: MessageRef,
      nullable: true,
      description: 'The last message that the viewer may see. Null when there is none. Needs the scope READ.',
      resolve: (ticket, _args, ctx) => {
        requireViewer(ctx, 'read');
        if ('lastMessage' in ticket && ticket.lastMessage !== undefined) return ticket.lastMessage;
        const { lastMessageId } = ticket;
        return lastMessageId === null ? null : ctx.load.message.load(lastMessageId);
      },
    }),
    lastMessageAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When `lastMessage` was written. `tickets` in the order LAST_MESSAGE are sorted by it.',
      resolve: ({ lastMessageId, activeAt }) => (lastMessageId === null ? null : activeAt),
    }),
    unseenCount: t.int({
      description:
        `Number of messages by others that the viewer has not seen (\`markSeen\`), among the newest ` +
        `${mostUnseen} that they may see: ${mostUnseen} means that or more. Needs the scope READ.`,
      nullable: true,
      resolve: ({ id }, _args, ctx) => ctx.load.unseenOf.load(id),
    }),
    cursor: t.string({
      description:
        "Current cursor of the ticket's events. Pass it to `ticketEvents(after:)` to get later events.",
      resolve: ({ id, cursor }, _args, ctx) => eventCursor(requireViewer(ctx), id, cursor),
    }),
  }),
});

/**
 * The input `TicketSelector`. Its value is assignable to the domain's type of that name. This file also
 * defines the query `ticket`.
 */
export const TicketSelectorInput = builder.inputType('TicketSelector', {
  description: 'Selects one ticket, by exactly one field. Example: `{ reference: "INC-000047" }`.',
  isOneOf: true,
  fields: (t) => ({
    id: t.id({ description: 'Global id: `"VGlja2V0OjQ3"`.' }),
    ticketId: t.int({ description: 'Number, as the legacy endpoint uses it: `47`.' }),
    reference: t.string({
      description: 'Reference: `"INC-000047"`. Not case-sensitive.',
    }),
  }),
});

builder.queryField('ticket', (t) =>
  t.field({
    type: TicketRef,
    nullable: true,
    description:
      'One ticket. Null when it does not exist or when the viewer may not see it: the answer does not ' +
      'say which.',
    args: {
      by: t.arg({
        type: TicketSelectorInput,
        required: true,
        description: "The ticket's id, number or reference.",
      }),
    },
    resolve: (_root, { by }, ctx, info) => {
      const ahead = messagesAhead(info);
      if (ahead === undefined) return findTicket(ctx, by);
      return ctx.load.ticketWithMessages(by, ahead.page, ahead.parts);
    },
  }),
);
