import type { BodyChange } from '../../content/html/changes.ts';
import type { ReadBody } from '../../content/html/clean.ts';
import type { RemotePictures } from '../../content/html/pictures.ts';
import { readStoredBody } from '../../content/read-body.ts';
import { requireViewer } from '../../tickets/policy.ts';
import { type Message, mayReadSource } from '../../tickets/read/messages.ts';
import type { Loaders } from '../context/loaders.ts';
import { AttachmentRef } from './attachment.ts';
import { builder } from './builder.ts';
import { DeliveryRef } from './delivery.ts';
import { BodyChangeCodeEnum, MessageFormatEnum, VisibilityEnum } from './enums.ts';
import { totalCount } from './page.ts';
import { PersonRef } from './person.ts';
import { MessageRef, TicketRef } from './refs.ts';

const BodyChangeRef = builder.objectRef<BodyChange>('BodyChange').implement({
  description: 'Something of a body that is not shown as it was written.',
  fields: (t) => ({
    code: t.expose('code', { type: BodyChangeCodeEnum, description: 'What it is.' }),
    message: t.exposeString('message', { description: 'The same in English, for people.' }),
  }),
});

/** Characters of a body from which on what was read of it is remembered with its message. */
const longBody = 16_384;
const readings = new WeakMap<Message, Partial<Record<RemotePictures, Promise<ReadBody>>>>();

/**
 * What a body says. A long one is looked up once for a message, by however many names it is asked for: that
 * takes its digest.
 */
async function reading(
  message: Message,
  load: Loaders,
  remotePictures: RemotePictures = 'HELD',
): Promise<ReadBody> {
  const { id, format, bodyBytes = 0 } = message;
  if (format === 'HTML' && bodyBytes >= longBody) load.bodies.spendOnHtml(id, bodyBytes);
  const body = await load.bodyOf(message);
  load.bodies.assertWithin();
  if (body.length < longBody) return readToShow(body, format, remotePictures);
  const known = readings.get(message) ?? {};
  readings.set(message, known);
  known[remotePictures] ??= readToShow(body, format, remotePictures);
  return known[remotePictures];
}

/** A long result is wrapped once a message: each name that asked for it would hold a copy. */
async function readToShow(
  body: string,
  format: Message['format'],
  remotePictures: RemotePictures,
): Promise<ReadBody> {
  const read = await readStoredBody(body, format, { remotePictures });
  if (format !== 'HTML' || read.html === '') return read;
  return { ...read, html: `<div style="overflow:auto">${read.html}</div>` };
}

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
        'As written, to the byte; pictures that were pasted into it are attachments of the message, and ' +
        'named by `cid:`. HTML as written is not safe to show: operators alone get it, others get null.',
      resolve: (message, _args, { viewer, load }) =>
        mayReadSource(viewer, message) ? load.bodyOf(message) : null,
    }),
    bodyHtml: t.string({
      description:
        'As HTML that is safe to show: without scripts, forms, what a reader would not have seen, or anything ' +
        'that is fetched unasked. Pictures of the web wait in `data-src`; those of the message are named by ' +
        '`cid:`, see `Attachment.contentId` and `fileName`.',
      args: {
        remoteImages: t.arg.boolean({
          defaultValue: false,
          description: 'Show pictures of the web: their servers are told who reads this, and when.',
        }),
      },
      resolve: async (message, { remoteImages }, { load }) => {
        const remotePictures = remoteImages === true ? 'SHOWN' : 'HELD';
        return (await reading(message, load, remotePictures)).html;
      },
    }),
    bodyText: t.string({
      description: 'As plain text.',
      resolve: async (message, _args, { load }) =>
        message.format === 'HTML' ? (await reading(message, load)).text : load.bodyOf(message),
    }),
    changes: t.field({
      type: [BodyChangeRef],
      description: 'What of the body is not shown as it was written.',
      resolve: async (message, _args, { load }) => [...(await reading(message, load)).changes],
    }),
    format: t.expose('format', { type: MessageFormatEnum, description: 'How `body` is written.' }),
    visibility: t.expose('visibility', { type: VisibilityEnum, description: 'Who may see it.' }),
    isMobileDevice: t.exposeBoolean('isMobileDevice', { description: 'Sent from a phone or a tablet.' }),
    language: t.exposeString('language', {
      nullable: true,
      description: 'What it is written in, a BCP 47 tag, as its author said: `"de-CH"`. Null: not said.',
    }),
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
  {
    type: MessageRef,
    name: 'TicketMessageConnection',
    description: "One page of a ticket's messages.",
    // The ticket's own row has the number.
    fields: (t) => ({ totalCount: t.int(totalCount(1)) }),
  },
  MessageEdge,
);
