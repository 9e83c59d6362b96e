import { htmlToPlainText, plainTextToHtml, sanitiseHtml } from '../content/html.ts';
import type { PageMessage } from '../tickets/conversation.ts';
import type { Message } from '../tickets/message.ts';
import { requireViewer } from '../tickets/policy.ts';
import { AttachmentRef } from './attachment.ts';
import { builder } from './builder.ts';
import { DeliveryRef } from './delivery.ts';
import { MessageFormatEnum, VisibilityEnum } from './enums.ts';
import { PersonRef } from './person.ts';
import { TicketRef } from './ticket.ts';

/** As a page brings it, with what hangs on it; or alone, and what is asked of it is loaded. */
export const MessageRef = builder.objectRef<Message | PageMessage>('TicketMessage');

builder.node(MessageRef, {
  description: 'One contribution to a ticket: a comment, a private note or an e-mail reply.',
  id: { resolve: ({ id }) => id },
  fields: (t) => ({
    messageId: t.exposeInt('id', {
      description: 'Number of the message, as the legacy endpoint answers it. It increases within a ticket.',
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
    body: t.string({
      nullable: true,
      description:
        'As written, to the byte. HTML as written is not safe to show: operators alone get it, others ' +
        'get null.',
      resolve: ({ body, format }, _args, { viewer }) =>
        format === 'TEXT' || viewer?.role === 'OPERATOR' ? body : null,
    }),
    bodyHtml: t.string({
      description:
        'As HTML that is safe to show: without scripts, forms or anything that is fetched unasked.',
      resolve: ({ body, format }) => (format === 'HTML' ? sanitiseHtml(body) : plainTextToHtml(body)),
    }),
    bodyText: t.string({
      description: 'As plain text.',
      resolve: ({ body, format }) => (format === 'HTML' ? htmlToPlainText(body) : body),
    }),
    format: t.expose('format', { type: MessageFormatEnum, description: 'How `body` is written.' }),
    visibility: t.expose('visibility', { type: VisibilityEnum, description: 'Who may see it.' }),
    isMobileDevice: t.exposeBoolean('isMobileDevice', { description: 'Sent from a phone or a tablet.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was written.' }),
    redactedAt: t.expose('redactedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When an operator took it back: its text and files are gone, its place stays.',
    }),
    attachments: t.field({
      type: [AttachmentRef],
      description: 'Its files, in the order in which they were attached; at most 20.',
      resolve: (message, _args, ctx) =>
        'attachments' in message
          ? [...message.attachments]
          : ctx.load.attachmentsOf.load(message.id).then((files) => [...files]),
    }),
    delivery: t.field({
      type: DeliveryRef,
      nullable: true,
      description: 'Its sending as an e-mail; null when none was asked for, and for requesters.',
      resolve: (message, _args, ctx) =>
        'delivery' in message ? message.delivery : ctx.load.deliveryOf.load(message.id),
    }),
  }),
});

export const MessageEdge = builder.edgeObject({
  type: MessageRef,
  name: 'TicketMessageEdge',
  description: 'A message and its place in its ticket.',
});
export const MessageConnection = builder.connectionObject(
  { type: MessageRef, name: 'TicketMessageConnection', description: "One page of a ticket's messages." },
  MessageEdge,
);
