import type { BodyChange } from '../../content/html/changes.ts';
import type { ReadBody } from '../../content/html/clean.ts';
import type { RemotePictures } from '../../content/html/pictures.ts';
import { readStoredBody } from '../../content/read-body.ts';
import { type Message, mayReadSource } from '../../tickets/read/messages.ts';
import type { Loaders } from '../context/loaders.ts';
import { builder } from './builder.ts';
import { BodyChangeCodeEnum, MessageFormatEnum } from './enums.ts';
import { MessageRef } from './refs.ts';

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
  const body = await load.bodyOf(message);
  if (body.length < longBody) return readStoredBody(body, message.format, { remotePictures });
  const known = readings.get(message) ?? {};
  readings.set(message, known);
  known[remotePictures] ??= readStoredBody(body, message.format, { remotePictures });
  return known[remotePictures];
}

builder.objectFields(MessageRef, (t) => ({
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
      const { html } = await reading(message, load, remotePictures);
      return message.format === 'HTML' && html !== '' ? `<div style="overflow:auto">${html}</div>` : html;
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
}));
