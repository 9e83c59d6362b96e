import { shownFiles } from '../../mail/compose/bodies.ts';
import { type Problem, Refusal } from '../../platform/errors.ts';
import type { IncomingFile, ReceivedFile } from '../../platform/incoming-file.ts';
import { BlobTooLarge } from '../../storage/blob-store.ts';
import type { DeskContext } from '../context.ts';
import { cleanContentType, cleanFileName } from '../file-name.ts';
import { findUploads } from '../uploads/find.ts';
import { type AttachmentInput, fileInputOf } from './attachment-input.ts';
import type { FileOf, NewFile } from './commit/columns.ts';
import type { NewMessage } from './input.ts';

/** The files of a message: durable in the blob store, and named by no row yet. */
export interface StoredFiles {
  readonly files: readonly NewFile[];
  readonly problems: readonly Problem[];
  /** Uploads that a message has already: a problem, unless that message is this one, said once more. */
  readonly attached: readonly Problem[];
  /** Takes the bytes over, right before a statement that names them. @throws RequestOver */
  claim(): void;
  /** The statement named nothing: what this request brought goes when the request ends. */
  release(): void;
}

const noFiles: StoredFiles = { files: [], problems: [], attached: [], claim() {}, release() {} };

/**
 * Waits for the request's files, which go into the blob store as they arrive, and looks up earlier uploads.
 * @throws Refusal ATTACHMENT_TOO_LARGE as soon as one byte too many has arrived
 */
export async function storeFiles(
  ctx: DeskContext,
  userId: number,
  inputs: readonly AttachmentInput[],
): Promise<StoredFiles> {
  if (inputs.length === 0) return noFiles;
  const limit = ctx.desk.limits.messageAttachmentsBytes;
  const brought: ReceivedFile[] = [];
  const arrivals = inputs.map(fileInputOf).map(async ({ file }, index) => {
    if (file == null) return undefined;
    const incoming = await file;
    const path = inputs[index]!.pasted === true ? ['body'] : ['attachments', index];
    const received = await waitFor(ctx, incoming, path);
    brought.push(received);
    return fileOf(incoming, received, index);
  });
  // All at once: parts come in whatever order their sender likes.
  const [arrived, { found, problems, attached }] = await Promise.all([
    Promise.all(arrivals),
    findUploads(ctx, userId, inputs),
  ]);
  const files = arrived.flatMap((file, index) => {
    const either = file ?? found.get(index);
    const contentId = inputs[index]!.inline?.contentId;
    return either === undefined ? [] : [{ ...either, position: index + 1, contentId, isInline: false }];
  });
  if (files.reduce((sum, file) => sum + file.byteSize, 0) > limit)
    throw tooLarge(limit, 'together', ['attachments']);
  return {
    files,
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

/** The files, each with whether the message's own HTML shows it. */
export async function withShown(
  { body, format }: Pick<NewMessage, 'body' | 'format'>,
  files: readonly NewFile[],
): Promise<readonly NewFile[]> {
  if (format === 'TEXT' || files.length === 0) return files;
  const shown = await shownFiles(body, files);
  return files.map((file) => ({ ...file, isInline: shown.has(file) }));
}

async function waitFor(
  ctx: DeskContext,
  { received }: IncomingFile,
  path: readonly (string | number)[],
): Promise<ReceivedFile> {
  const { attachmentBytes, messageAttachmentsBytes } = ctx.desk.limits;
  return received.catch((error) => {
    if (!(error instanceof BlobTooLarge)) throw error;
    throw error.limitBytes === attachmentBytes
      ? tooLarge(attachmentBytes, 'each', path)
      : tooLarge(messageAttachmentsBytes, 'together', ['attachments']);
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

function tooLarge(limitBytes: number, of: 'each' | 'together', path: readonly (string | number)[]): Refusal {
  const message =
    of === 'each'
      ? `The attachment is larger than ${limitBytes} bytes`
      : `The attachments together are larger than ${limitBytes} bytes`;
  return new Refusal('ATTACHMENT_TOO_LARGE', message, { limitBytes }, path);
}
