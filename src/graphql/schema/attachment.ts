import { GraphQLError } from 'graphql';
import { attachmentUrl, downloadPath, isServed } from '../../tickets/read/attachment-url.ts';
import type { Attachment } from '../../tickets/read/attachments.ts';
import { defaultUrlSeconds, maxUrlSeconds } from '../../tickets/read/signed-url.ts';
import { builder } from './builder.ts';
import { AttachmentScanEnum } from './enums.ts';

export const AttachmentRef = builder.objectRef<Attachment>('Attachment');

builder.node(AttachmentRef, {
  description: 'A file of a message. Whoever may see the message may see it.',
  id: { resolve: ({ id }) => id },
  fields: (t) => ({
    fileName: t.exposeString('fileName', {
      description:
        'Name to show and to save it under, without folders, control characters or direction marks.',
    }),
    contentType: t.exposeString('contentType', {
      description:
        'Media type as its sender called it, with those of its parameters that are well formed: ' +
        '`text/plain; charset=utf-8`.',
    }),
    byteSize: t.exposeInt('byteSize', { description: 'Size in bytes.' }),
    contentId: t.exposeString('contentId', {
      nullable: true,
      description: "What the message's HTML may name it by after `cid:`, as it was given.",
    }),
    isInline: t.exposeBoolean('isInline', {
      description: "The message's HTML shows it: a picture in the text rather than a file beside it.",
    }),
    sha256: t.string({
      nullable: true,
      description: 'SHA-256 of its bytes, hexadecimal; null once redacted.',
      resolve: ({ sha256, blobKey }) => (blobKey === null ? null : sha256.toString('hex')),
    }),
    downloadUrl: t.string({
      nullable: true,
      description:
        'Where its bytes are: GET it with the same credential. Null once redacted, and for an infected file.',
      resolve: (file, _args, { origin }) => (isServed(file) ? origin + downloadPath(file.id) : null),
    }),
    url: t.string({
      nullable: true,
      description:
        'Where its bytes are for `<img>` and `<a>`: GET it without a credential, for as long as you may ' +
        'see the file and at most so long. Whoever has it sees the file as you do. Null once redacted, ' +
        'for an infected file, and without the scope READ.',
      args: {
        expiresInSeconds: t.arg.int({
          defaultValue: defaultUrlSeconds,
          description: `How long it works, from 1 to ${maxUrlSeconds}: \`60\`.`,
        }),
      },
      resolve: (file, { expiresInSeconds }, ctx) =>
        attachmentUrl(ctx, file, lifetimeOf(expiresInSeconds ?? defaultUrlSeconds)),
    }),
    scan: t.expose('scan', {
      type: AttachmentScanEnum,
      nullable: true,
      description: 'What a virus scanner said; null when this desk has none, or had none when the file came.',
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

function lifetimeOf(seconds: number): number {
  if (seconds >= 1 && seconds <= maxUrlSeconds) return seconds;
  throw new GraphQLError(`expiresInSeconds must be from 1 to ${maxUrlSeconds}`, {
    extensions: { code: 'INVALID_INPUT' },
  });
}
