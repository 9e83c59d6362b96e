import { encodeGlobalId } from '../global-id.ts';
import type { Attachment } from '../tickets/attachment.ts';
import { builder } from './builder.ts';

export const AttachmentRef = builder.objectRef<Attachment>('Attachment');

/** Where an attachment is downloaded from; the same permission is asked there. */
export const downloadPath = (id: number): string =>
  `/attachments/${encodeURIComponent(encodeGlobalId('Attachment', id))}`;

builder.node(AttachmentRef, {
  description: 'A file of a message; seen by whoever may see the message.',
  id: { resolve: ({ id }) => id },
  loadMany: (ids: string[], ctx) => Promise.all(ids.map((id) => ctx.load.attachment.load(Number(id)))),
  fields: (t) => ({
    fileName: t.exposeString('fileName', { description: 'Without folders, controls or direction marks.' }),
    contentType: t.exposeString('contentType', { description: "The sender's word for it." }),
    byteSize: t.exposeInt('byteSize'),
    contentId: t.exposeString('contentId', {
      nullable: true,
      description: "What the message's HTML may name it by after cid:, as it was given.",
    }),
    isInline: t.exposeBoolean('isInline', {
      description: "The message's HTML shows it: a picture in the text rather than a file beside it.",
    }),
    sha256: t.string({
      nullable: true,
      description: 'Hexadecimal; null once redacted.',
      resolve: ({ sha256, blobKey }) => (blobKey === null ? null : sha256.toString('hex')),
    }),
    downloadUrl: t.string({
      nullable: true,
      description: 'GET it with the same credential; null once redacted.',
      resolve: ({ id, blobKey }, _args, { origin }) => (blobKey === null ? null : origin + downloadPath(id)),
    }),
    redactedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When an operator took it back: its bytes and its name are gone.',
      resolve: async ({ id, blobKey, redactedAt }, _args, ctx) =>
        blobKey !== null ? null : (redactedAt ?? (await ctx.load.attachment.load(id))!.redactedAt ?? null),
    }),
  }),
});
