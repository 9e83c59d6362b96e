import { htmlToPlainText, plainTextToHtml, sanitiseHtml } from '../content/html.ts';
import type { Message } from '../tickets/message.ts';
import { AttachmentRef } from './attachment.ts';
import { builder } from './builder.ts';
import { DeliveryRef } from './delivery.ts';
import { MessageFormatEnum, VisibilityEnum } from './enums.ts';
import { PersonRef } from './person.ts';
import { TicketRef } from './ticket.ts';

export const MessageRef = builder.objectRef<Message>('TicketMessage');

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
      resolve: async ({ authorId }, _args, ctx) => (await ctx.load.person.load(authorId))!,
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
    attachments: t.field({
      type: [AttachmentRef],
      resolve: async ({ id }, _args, ctx) => [...(await ctx.load.attachmentsOf.load(id))],
    }),
    delivery: t.field({
      type: DeliveryRef,
      nullable: true,
      description: 'Its sending as an e-mail; null when none was asked for, and for requesters.',
      resolve: ({ id }, _args, ctx) => ctx.load.deliveryOf.load(id),
    }),
  }),
});
