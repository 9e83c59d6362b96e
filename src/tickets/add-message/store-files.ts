import { Readable } from 'node:stream';
import { bytesOfData } from '../../content/dom/raster-image.ts';
import type { PastedPicture } from '../../content/pasted-pictures.ts';
import { shownFiles } from '../../mail/compose/compose-bodies.ts';
import type { NamedFile } from '../../mail/compose/find-pictures.ts';
import { type Problem, Refusal } from '../../platform/errors.ts';
import { IncomingFile, type ReceivedFile } from '../../platform/incoming-file.ts';
import { BlobTooLarge } from '../../storage/blob-store.ts';
import { cleanContentType, cleanFileName } from '../clean-file-metadata.ts';
import type { TicketContext } from '../context.ts';
import { type MessageCommand, refuse } from '../refusals-by-command.ts';
import { findUploadsToAttach } from '../uploads/find-to-attach.ts';
import type { FileOf, NewFile } from './columns.ts';
import { type AttachmentInput, fileInputOf, type NewMessage, type ParsedMessage } from './input.ts';

/** The files of a message. Their bytes are in the blob store, but no row refers to them yet. */
export interface StoredFiles {
  /**
   * In the order of their positions: the attachments, then the pasted pictures. Uploads not found are
   * missing.
   */
  readonly files: readonly NewFile[];
  /** Problems for uploads that were not found, or are named twice. */
  readonly problems: readonly Problem[];
  /**
   * Problems for uploads that are attached already, which `files` contains. They do not count when this call
   * repeats the one that attached them.
   */
  readonly attached: readonly Problem[];
  /**
   * Claims the bytes of this request's own files and pictures, so that they are kept when the request ends.
   * Must be called right before the statement that refers to them. Earlier uploads are not affected.
   * @throws RequestOver when the request has ended, and the bytes have been removed
   */
  claim(): void;
  /** Undoes `claim` when certainly no row refers to the bytes. They are removed when the request ends. */
  release(): void;
}

const noFiles: StoredFiles = { files: [], problems: [], attached: [], claim() {}, release() {} };

/**
 * Waits until the request's files and pasted pictures are in the blob store, and finds the earlier uploads of
 * the user that the message names. Problems of uploads are returned, not thrown.
 * @throws Refusal ATTACHMENT_TOO_LARGE as soon as a file, or all files together, exceed their limit
 * @throws the error of a file that could not be received or did not arrive, such as StoreUnavailable, or
 *   GraphQLError for a form that breaks off
 */
export async function storeFiles(
  ctx: TicketContext,
  userId: number,
  { message, pasted }: Pick<ParsedMessage, 'message' | 'pasted'>,
): Promise<StoredFiles> {
  if (message.attachments.length + pasted.length === 0) return noFiles;
  const inputs = [...message.attachments, ...pasted.map((picture) => pastedFile(ctx, picture))];
  const limit = ctx.services.limits.messageAttachmentsBytes;
  const brought: ReceivedFile[] = [];
  const arrivals = inputs.map(fileInputOf).map(async ({ file }, index) => {
    if (file == null) return undefined;
    const incoming = await file;
    const path = inputs[index]!.isPasted === true ? ['body'] : ['attachments', index];
    const received = await waitFor(ctx, incoming, path);
    brought.push(received);
    return fileOf(incoming, received, index);
  });
  // In parallel, because a client may send its parts in any order.
  const [arrived, { found, problems, attached }] = await Promise.all([
    Promise.all(arrivals),
    findUploadsToAttach(ctx, userId, inputs),
  ]);
  const named = arrived.flatMap((file, index) => {
    const either = file ?? found.get(index);
    const contentId = inputs[index]!.inline?.contentId;
    return either === undefined ? [] : [{ ...either, position: index + 1, contentId }];
  });
  if (named.reduce((sum, file) => sum + file.byteSize, 0) > limit)
    throw refuse<MessageCommand>(tooLarge(limit, 'together', ['attachments']));
  const shown = await shownOf(message, named);
  const scan = ctx.services.scans ? { scan: 'PENDING' as const } : undefined;
  return {
    files: named.map((file) => ({ ...file, isInline: shown.has(file), ...scan })),
    problems,
    attached,
    claim() {
      for (const blob of brought) blob.claim();
    },
    release() {
      for (const blob of brought) blob.release();
    },
  };
}

/** A pasted picture as an attachment, to be stored like an uploaded file. */
const pastedFile = (
  ctx: TicketContext,
  { contentId, contentType, data }: PastedPicture,
): AttachmentInput => ({
  isPasted: true,
  inline: {
    contentId,
    file: new IncomingFile(contentId, contentType, ctx.receive(Readable.from([bytesOfData(data)]), 'pasted')),
  },
});

/** The files that the message's own HTML shows. */
const shownOf = async <F extends NamedFile>(
  { body, format }: NewMessage,
  files: readonly F[],
): Promise<ReadonlySet<F>> => (format === 'TEXT' ? new Set() : shownFiles(body, files));

async function waitFor(
  ctx: TicketContext,
  { received }: IncomingFile,
  path: readonly (string | number)[],
): Promise<ReceivedFile> {
  const { attachmentBytes, messageAttachmentsBytes } = ctx.services.limits;
  return received.catch((error) => {
    if (!(error instanceof BlobTooLarge)) throw error;
    throw refuse<MessageCommand>(
      error.limitBytes === attachmentBytes
        ? tooLarge(attachmentBytes, 'each', path)
        : tooLarge(messageAttachmentsBytes, 'together', ['attachments']),
    );
  });
}

const fileOf = (file: IncomingFile, { key, byteSize, sha256 }: ReceivedFile, index: number): FileOf => ({
  blobKey: key,
  isFresh: true,
  byteSize,
  sha256: sha256.toString('hex'),
  fileName: cleanFileName(file.fileName, index),
  contentType: cleanContentType(file.contentType),
});

function tooLarge(
  limitBytes: number,
  of: 'each' | 'together',
  path: readonly (string | number)[],
): Refusal<'ATTACHMENT_TOO_LARGE'> {
  const message =
    of === 'each'
      ? `The attachment is larger than ${limitBytes} bytes`
      : `The attachments together are larger than ${limitBytes} bytes`;
  return new Refusal('ATTACHMENT_TOO_LARGE', message, { limitBytes }, path);
}
