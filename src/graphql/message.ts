import type { BodyChange } from '../content/changes.ts';
import { readBody } from '../content/read-body.ts';
import type { PageMessage } from '../tickets/conversation.ts';
import type { Message } from '../tickets/message.ts';
import { AttachmentRef } from './attachment.ts';
import { builder } from './builder.ts';
import { DeliveryRef } from './delivery.ts';
import { BodyChangeCodeEnum, MessageFormatEnum, VisibilityEnum } from './enums.ts';
import { PersonRef } from './person.ts';
import { TicketRef } from './ticket.ts';

/** As a page brings it, with what hangs on it; or alone, and what is asked of it is loaded. */
export const MessageRef = builder.objectRef<Message | PageMessage>('TicketMessage');

const BodyChangeRef = builder.objectRef<BodyChange>('BodyChange').implement({
  description: 'Something of a body that is not shown as it was written.',
  fields: (t) => ({
    code: t.expose('code', { type: BodyChangeCodeEnum }),
    message: t.exposeString('message', { description: 'For people.' }),
  }),
});

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
        'As written, to the byte, but that pictures which were pasted into it are attachments of the message, and named by cid:. HTML as written is not safe to show: operators alone get it, others get null.',
      resolve: ({ body, format }, _args, { viewer }) =>
        format === 'TEXT' || viewer?.role === 'OPERATOR' ? body : null,
    }),
    bodyHtml: t.string({
      description:
        'Safe to show: without scripts, forms, what a reader would not have seen, or anything that is fetched unasked. Pictures of the web wait in `data-src`; those of the message are named by `cid:`, see `Attachment.contentId` and `fileName`.',
      args: {
        remoteImages: t.arg.boolean({
          required: true,
          defaultValue: false,
          description: 'Show pictures of the web: their servers are told who reads this, and when.',
        }),
      },
      resolve: async ({ body, format }, { remoteImages }) => {
        const remotePictures = remoteImages ? 'SHOWN' : 'HELD';
        const { html } = await readBody(body, format, { remotePictures });
        return format === 'HTML' && html !== '' ? `<div style="overflow:auto">${html}</div>` : html;
      },
    }),
    bodyText: t.string({
      description: 'As plain text.',
      resolve: async ({ body, format }) => (format === 'HTML' ? (await readBody(body, format)).text : body),
    }),
    changes: t.field({
      type: [BodyChangeRef],
      description: 'What of the body is not shown as it was written.',
      resolve: async ({ body, format }) => [...(await readBody(body, format)).changes],
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
