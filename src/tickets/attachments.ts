import { and, eq, gt, inArray, sql } from 'drizzle-orm';
import { blobs as blobsTable, uploads as uploadsTable } from '../db/tables.ts';
import { type Problem, Refusal } from '../errors.ts';
import type { IncomingFile, Received } from '../incoming-file.ts';
import { shownFiles } from '../mail/bodies.ts';
import { BlobTooLarge } from '../storage/blob-store.ts';
import { uploadLifetimeHours } from '../storage/collect.ts';
import type { DeskContext } from './desk.ts';
import { cleanContentType, cleanFileName } from './file-name.ts';
import { type AddTicketMessageInput, type AttachmentInput, fileInputOf } from './message-input.ts';
import type { NewFile } from './new-message-row.ts';

/** The files of a message: durable in the blob store, and named by no row yet. */
export interface StoredFiles {
  readonly files: readonly NewFile[];
  readonly problems: readonly Problem[];
  /** Takes the bytes over, right before a statement that names them. @throws RequestOver */
  claim(): void;
  /** The statement named nothing: what this request brought goes when the request ends. */
  release(): void;
}

/** Of a file what its bytes and its sender say; its place in the message is another matter. */
type FileOf = Omit<NewFile, 'position' | 'contentId' | 'inline'>;

const noFiles: StoredFiles = { files: [], problems: [], claim() {}, release() {} };

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
  const brought: Received[] = [];
  const arrivals = inputs.map(fileInputOf).map(async ({ file }, index) => {
    if (file == null) return undefined;
    const incoming = await file;
    const path = inputs[index]!.pasted === true ? ['body'] : ['attachments', index];
    const received = await waitFor(ctx, incoming, path);
    brought.push(received);
    return fileOf(incoming, received, index);
  });
  // All at once: parts come in whatever order their sender likes.
  const [arrived, { found, problems }] = await Promise.all([
    Promise.all(arrivals),
    findUploads(ctx, userId, inputs),
  ]);
  const files = arrived.flatMap((file, index) => {
    const either = file ?? found.get(index);
    const contentId = inputs[index]!.inline?.contentId ?? null;
    return either === undefined ? [] : [{ ...either, position: index + 1, contentId, inline: false }];
  });
  if (files.reduce((sum, file) => sum + file.size, 0) > limit)
    throw tooLarge(limit, 'together', ['attachments']);
  return {
    files,
    problems,
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
  { body, format }: Pick<AddTicketMessageInput, 'body' | 'format'>,
  files: readonly NewFile[],
): Promise<readonly NewFile[]> {
  if (format === 'TEXT' || files.length === 0) return files;
  const named = files.map((file) => ({
    fileName: file.name,
    contentType: file.type,
    contentId: file.contentId,
  }));
  const shown = await shownFiles(body, named);
  return files.map((file, n) => ({ ...file, inline: shown.has(named[n]!) }));
}

async function waitFor(
  ctx: DeskContext,
  { received }: IncomingFile,
  path: readonly (string | number)[],
): Promise<Received> {
  const { attachmentBytes, messageAttachmentsBytes } = ctx.desk.limits;
  return received.catch((error) => {
    if (!(error instanceof BlobTooLarge)) throw error;
    throw error.limitBytes === attachmentBytes
      ? tooLarge(attachmentBytes, 'each', path)
      : tooLarge(messageAttachmentsBytes, 'together', ['attachments']);
  });
}

const fileOf = (file: IncomingFile, { key, byteSize, sha256 }: Received, index: number): FileOf => ({
  blob: key,
  fresh: true,
  size: byteSize,
  sha256: sha256.toString('hex'),
  name: cleanFileName(file.fileName, index),
  type: cleanContentType(file.contentType),
});

function tooLarge(limitBytes: number, of: 'each' | 'together', path: readonly (string | number)[]): Refusal {
  const message =
    of === 'each'
      ? `The attachment is larger than ${limitBytes} bytes`
      : `The attachments together are larger than ${limitBytes} bytes`;
  return new Refusal('ATTACHMENT_TOO_LARGE', message, { limitBytes }, path);
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/**
 * The earlier uploads that are named, by the index of the attachment; only their uploader may use them. What has expired is not found
 * even while the collector has not come by: it must not be taken away between here and the commit.
 */
async function findUploads(ctx: DeskContext, userId: number, inputs: readonly AttachmentInput[]) {
  const named = inputs
    .map(fileInputOf)
    .flatMap(({ upload, path }, index) => (upload == null ? [] : [{ index, path, id: uploadIdOf(upload) }]));
  const found = new Map<number, FileOf>();
  const ids = named.flatMap(({ id }) => (id === undefined ? [] : [id]));
  const rows =
    ids.length === 0
      ? []
      : await ctx.desk.database.desk
          .select({ upload: uploadsTable, blob: blobsTable })
          .from(uploadsTable)
          .innerJoin(blobsTable, eq(blobsTable.key, uploadsTable.blobKey))
          .where(
            and(
              inArray(uploadsTable.id, ids),
              gt(uploadsTable.createdAt, sql`now() - make_interval(hours => ${uploadLifetimeHours})`),
            ),
          );
  const byId = new Map(rows.map((row) => [row.upload.id, row]));
  const problems: Problem[] = [];
  for (const { index, path, id } of named) {
    const row = id === undefined ? undefined : byId.get(id);
    if (row === undefined || row.upload.userId !== userId) {
      problems.push({
        path: ['attachments', index, ...path, 'upload'],
        message: 'There is no such upload, or it has expired',
      });
      continue;
    }
    const { upload, blob } = row;
    const sha256 = blob.sha256.toString('hex');
    found.set(index, {
      blob: blob.key,
      fresh: false,
      size: blob.byteSize,
      sha256,
      name: upload.fileName,
      type: upload.contentType,
    });
  }
  return { found, problems };
}

function uploadIdOf(globalId: string): string | undefined {
  const text = Buffer.from(globalId, 'base64').toString('latin1');
  const id = text.startsWith('Upload:') ? text.slice('Upload:'.length).toLowerCase() : '';
  return uuid.test(id) ? id : undefined;
}
