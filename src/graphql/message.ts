import { htmlToPlainText, plainTextToHtml, sanitiseHtml } from '../content/html.ts';
import type { PageMessage } from '../tickets/conversation.ts';
import type { Message } from '../tickets/message.ts';
import { AttachmentRef } from './attachment.ts';
import { builder } from './builder.ts';
import { DeliveryRef } from './delivery.ts';
import { MessageFormatEnum, VisibilityEnum } from './enums.ts';
import { PersonRef } from './person.ts';
import { TicketRef } from './ticket.ts';

/** As a page brings it, with what hangs on it; or alone, and what is asked of it is loaded. */
export const MessageRef = builder.objectRef<Message | PageMessage>('TicketMessage');

builder.node(MessageRef, {
  description: 'One contribution to a ticket.',
  id: { resolve: ({ id }) => id },
  loadMany: (ids: string[], ctx) => Promise.all(ids.map((id) => ctx.load.message.load(Number(id)))),
  fields: (t) => ({
    messageId: t.exposeInt('id', { description: 'The old integer; increases within a ticket.' }),
    ticket: t.field({
      type: TicketRef,
      resolve: async ({ ticketId }, _args, ctx) => (await ctx.load.ticket.load(ticketId))!,
    }),
    author: t.field({
      type: PersonRef,
      resolve: (message, _args, ctx) =>
        'author' in message
          ? message.author
          : ctx.load.person.load(message.authorId).then((author) => author!),
    }),
    body: t.string({
      nullable: true,
      description:
        'As written, to the byte. HTML as written is not safe to show: operators alone get it, others get null.',
      resolve: ({ body, format }, _args, { viewer }) =>
        format === 'TEXT' || viewer?.role === 'OPERATOR' ? body : null,
    }),
    bodyHtml: t.string({
      description: 'Safe to show: without scripts, forms or anything that is fetched unasked.',
      resolve: ({ body, format }) => (format === 'HTML' ? sanitiseHtml(body) : plainTextToHtml(body)),
    }),
    bodyText: t.string({
      description: 'As plain text.',
      resolve: ({ body, format }) => (format === 'HTML' ? htmlToPlainText(body) : body),
    }),
    format: t.expose('format', { type: MessageFormatEnum }),
    visibility: t.expose('visibility', { type: VisibilityEnum }),
    isMobileDevice: t.exposeBoolean('isMobileDevice'),
    createdAt: t.expose('createdAt', { type: 'DateTime' }),
    redactedAt: t.expose('redactedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When an operator took it back: its text and files are gone, its place stays.',
    }),
    attachments: t.field({
      type: [AttachmentRef],
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
