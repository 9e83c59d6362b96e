import { encodeGlobalId } from '../global-id.ts';
import type { Attachment } from '../tickets/attachment.ts';
import { builder } from './builder.ts';

export const AttachmentRef = builder.objectRef<Attachment>('Attachment');

/** Where an attachment is downloaded from; the same permission is asked there. */
export const downloadPath = (id: number): string =>
  `/attachments/${encodeURIComponent(encodeGlobalId('Attachment', id))}`;

builder.node(AttachmentRef, {
  description: 'A file of a message. Whoever may see the message may see it.',
  id: { resolve: ({ id }) => id },
  fields: (t) => ({
    fileName: t.exposeString('fileName', {
      description:
        'Name to show and to save it under, without folders, control characters or direction marks.',
    }),
    contentType: t.exposeString('contentType', {
      description: 'Media type as its sender called it: `image/png`. Nobody has checked it.',
    }),
    byteSize: t.exposeInt('byteSize', { description: 'Size in bytes.' }),
    sha256: t.string({
      nullable: true,
      description: 'SHA-256 of its bytes, hexadecimal; null once redacted.',
      resolve: ({ sha256, blobKey }) => (blobKey === null ? null : sha256.toString('hex')),
    }),
    downloadUrl: t.string({
      nullable: true,
      description: 'Where its bytes are: GET it with the same credential. Null once redacted.',
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
