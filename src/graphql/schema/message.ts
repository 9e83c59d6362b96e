import { requireViewer } from '../../tickets/permissions.ts';
import { AttachmentRef } from './attachment.ts';
import { builder } from './builder.ts';
import { DeliveryRef } from './delivery.ts';
import { VisibilityEnum } from './enums.ts';
import { totalCount, totalCountIsExact } from './lists/page.ts';
import { MessageRef, TicketRef } from './object-refs.ts';
import { PersonRef } from './person-and-viewer.ts';

builder.node(MessageRef, {
  description: 'One contribution to a ticket: a comment, a private note or an e-mail reply.',
  id: { resolve: ({ id }) => id },
  fields: (t) => ({
    messageId: t.exposeInt('id', {
      description:
        'Number of the message, as the legacy endpoint returns it. Later messages of a ticket have ' +
        'higher numbers.',
    }),
    ticket: t.field({
      type: TicketRef,
      nullable: true,
      description: 'The ticket that it belongs to. Null, with an error FORBIDDEN, without the scope READ.',
      resolve: ({ ticketId }, _args, ctx) => {
        requireViewer(ctx, 'read');
        return ctx.load.ticket.load(ticketId);
      },
    }),
    author: t.field({
      type: PersonRef,
      description: 'Who wrote it.',
      resolve: (message, _args, ctx) =>
        'author' in message
          ? message.author
          : ctx.load.person.load(message.authorId).then((author) => author!),
    }),
    visibility: t.expose('visibility', { type: VisibilityEnum, description: 'Who may see it.' }),
    isMobileDevice: t.exposeBoolean('isMobileDevice', {
      description: 'Whether it was sent from a phone or a tablet.',
    }),
    language: t.exposeString('language', {
      nullable: true,
      description:
        'Language of the message as its author declared it, a BCP 47 tag: `"de-CH"`. Null when not ' +
        'declared.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was written.' }),
    redactedAt: t.expose('redactedAt', {
      type: 'DateTime',
      nullable: true,
      description:
        'When an operator redacted it: its text and files are deleted, and an empty message remains.',
    }),
    attachments: t.field({
      type: [AttachmentRef],
      description: 'Its files in their order, at most 20.',
      resolve: (message, _args, ctx) =>
        'attachments' in message && message.attachments !== undefined
          ? [...message.attachments]
          : ctx.load.attachmentsOf.load(message.id).then((files) => [...files]),
    }),
    delivery: t.field({
      type: DeliveryRef,
      nullable: true,
      description: 'Its delivery as an e-mail. Null when none was requested, and for requesters.',
      resolve: (message, _args, ctx) =>
        'delivery' in message && message.delivery !== undefined
          ? message.delivery
          : ctx.load.deliveryOf.load(message.id),
    }),
  }),
});

/** The type `TicketMessageEdge`. */
export const MessageEdge = builder.edgeObject({
  type: MessageRef,
  name: 'TicketMessageEdge',
  description: 'A message with its cursor.',
});
/** The type `TicketMessageConnection`, with `totalCount`. */
export const MessageConnection = builder.connectionObject(
  {
    type: MessageRef,
    name: 'TicketMessageConnection',
    description: "One page of a ticket's messages.",
    // The ticket's row stores the count.
    fields: (t) => ({
      totalCount: t.int(totalCount(1)),
      totalCountIsExact: t.boolean(totalCountIsExact(1)),
    }),
  },
  MessageEdge,
);
