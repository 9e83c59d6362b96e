import type { BodyChange } from '../../content/html/body-changes.ts';
import type { ReadBody } from '../../content/html/clean-html.ts';
import type { RemotePictures } from '../../content/html/pictures.ts';
import { readStoredBody } from '../../content/read-message-body.ts';
import { type Message, mayReadSource } from '../../tickets/read/load-messages.ts';
import type { Loaders } from '../context/loaders.ts';
import { builder } from './builder.ts';
import { BodyChangeCodeEnum, MessageFormatEnum } from './enums.ts';
import { MessageRef } from './object-refs.ts';

const BodyChangeRef = builder.objectRef<BodyChange>('BodyChange').implement({
  description: 'A part of a body that is not shown as it was written.',
  fields: (t) => ({
    code: t.expose('code', { type: BodyChangeCodeEnum, description: 'Kind of change.' }),
    message: t.exposeString('message', { description: 'What `code` means here, in English, for people.' }),
  }),
});

/** The result of reading a body of at least this many characters is cached with its message. */
const longBody = 16_384;
const readings = new WeakMap<Message, Partial<Record<RemotePictures, Promise<ReadBody>>>>();

/**
 * Reads a body. A long one is looked up once for each message, however many fields select it, because the
 * lookup computes its digest.
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

/** A long result is wrapped once for each message; otherwise each field that selects it would hold a copy. */
async function readToShow(
  body: string,
  format: Message['format'],
  remotePictures: RemotePictures,
): Promise<ReadBody> {
  const read = await readStoredBody(body, format, { remotePictures });
  if (format !== 'HTML' || read.html === '') return read;
  return { ...read, html: `<div style="overflow:auto">${read.html}</div>` };
}

builder.objectFields(MessageRef, (t) => ({
  body: t.string({
    nullable: true,
    description:
      'The source, unchanged. Pasted pictures have become attachments, referenced by `cid:`. HTML ' +
      'source is not safe to show: only operators get it, others get null.',
    resolve: (message, _args, { viewer, load }) =>
      mayReadSource(viewer, message) ? load.bodyOf(message) : null,
  }),
  bodyHtml: t.string({
    description:
      'The body as HTML that is safe to show: without scripts, forms, hidden text, or anything that ' +
      'loads by itself. Remote pictures are in `data-src`. Pictures of the message are referenced by ' +
      '`cid:`: see `Attachment.contentId` and `fileName`.',
    args: {
      remoteImages: t.arg.boolean({
        defaultValue: false,
        description: 'Show remote pictures. Their servers then learn who reads this message, and when.',
      }),
    },
    resolve: async (message, { remoteImages }, { load }) => {
      const remotePictures = remoteImages === true ? 'SHOWN' : 'HELD';
      return (await reading(message, load, remotePictures)).html;
    },
  }),
  bodyText: t.string({
    description: 'The body as plain text.',
    resolve: async (message, _args, { load }) =>
      message.format === 'HTML' ? (await reading(message, load)).text : load.bodyOf(message),
  }),
  changes: t.field({
    type: [BodyChangeRef],
    description: 'Parts of the body that are not shown as they were written.',
    resolve: async (message, _args, { load }) => [...(await reading(message, load)).changes],
  }),
  format: t.expose('format', { type: MessageFormatEnum, description: 'How `body` is written.' }),
}));
