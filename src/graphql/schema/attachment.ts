import { GraphQLError } from 'graphql';
import { attachmentUrl, downloadPath, isServed } from '../../tickets/read/attachment-url.ts';
import type { Attachment } from '../../tickets/read/attachments.ts';
import { defaultUrlSeconds, maxUrlSeconds } from '../../tickets/read/signed-url.ts';
import { builder } from './builder.ts';
import { AttachmentScanEnum } from './enums.ts';

/**
 * The type `Attachment`. Whoever may see the message may see it; each resolver that returns one checks that.
 */
export const AttachmentRef = builder.objectRef<Attachment>('Attachment');

builder.node(AttachmentRef, {
  description: 'A file of a message, visible to everyone who may see the message.',
  id: { resolve: ({ id }) => id },
  fields: (t) => ({
    fileName: t.exposeString('fileName', {
      description:
        'Name to show and to save the file as, without folders, control characters or direction marks.',
    }),
    contentType: t.exposeString('contentType', {
      description:
        'Media type as the sender declared it, with its well-formed parameters: `text/plain; ' +
        'charset=utf-8`.',
    }),
    byteSize: t.exposeInt('byteSize', { description: 'Size in bytes.' }),
    contentId: t.exposeString('contentId', {
      nullable: true,
      description: "Content-ID by which the message's HTML references the file after `cid:`.",
    }),
    isInline: t.exposeBoolean('isInline', {
      description: "Whether the message's HTML shows it: a picture in the text rather than a separate file.",
    }),
    sha256: t.string({
      nullable: true,
      description: 'SHA-256 of its bytes in hexadecimal. Null once redacted.',
      resolve: ({ sha256, blobKey }) => (blobKey === null ? null : sha256.toString('hex')),
    }),
    downloadUrl: t.string({
      nullable: true,
      description:
        'URL of its bytes. GET it with the same credential. Null once redacted, and for an infected ' +
        'file.',
      resolve: (file, _args, { origin }) => (isServed(file) ? origin + downloadPath(file.id) : null),
    }),
    url: t.string({
      nullable: true,
      description:
        'URL of its bytes for `<img>` and `<a>`. It needs no credential, and works as long as you may ' +
        'see the file, up to `expiresInSeconds`. Everyone who has it sees the file as you do. Null ' +
        'once redacted, for an infected file, and without the scope READ.',
      args: {
        expiresInSeconds: t.arg.int({
          defaultValue: defaultUrlSeconds,
          description: `Seconds for which it works, from 1 to ${maxUrlSeconds}: \`60\`.`,
        }),
      },
      resolve: (file, { expiresInSeconds }, ctx) =>
        attachmentUrl(ctx, file, lifetimeOf(expiresInSeconds ?? defaultUrlSeconds)),
    }),
    scan: t.expose('scan', {
      type: AttachmentScanEnum,
      nullable: true,
      description:
        "The virus scanner's result. Null when the desk has no scanner, or had none when the file " +
        'arrived.',
    }),
    redactedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When an operator redacted it: its bytes and its name are deleted.',
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
