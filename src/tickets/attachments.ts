import { and, eq, gt, inArray, sql } from 'drizzle-orm';
import { blobs as blobsTable, uploads as uploadsTable } from '../db/tables.ts';
import { type Problem, Refusal } from '../errors.ts';
import { shownFiles } from '../mail/bodies.ts';
import { shortenName } from '../mail/file-name.ts';
import { BlobTooLarge } from '../storage/blob-store.ts';
import { uploadLifetimeHours } from '../storage/collect.ts';
import type { IncomingFile } from '../upload.ts';
import type { DeskContext } from './desk.ts';
import { type AddTicketMessageInput, type AttachmentInput, fileInputOf } from './message-input.ts';
import type { NewFile } from './new-message-row.ts';

/** Files that are kept under the blob store's keys but that no row names yet. */
export interface KeptFiles {
  readonly files: readonly NewFile[];
  readonly problems: readonly Problem[];
  /** Removes what was stored for this request; an earlier upload stays. */
  discard(): Promise<void>;
}

const nothingKept: KeptFiles = { files: [], problems: [], discard: async () => {} };

/**
 * Reads each file of the request into the blob store, one after another as they arrive, and looks up earlier uploads.
 * @throws Refusal ATTACHMENT_TOO_LARGE while reading; by then nothing of the request is kept.
 */
export async function keepFiles(
  ctx: DeskContext,
  userId: number,
  inputs: readonly AttachmentInput[],
): Promise<KeptFiles> {
  if (inputs.length === 0) return nothingKept;
  const { limits, blobs } = ctx.desk;
  const files: NewFile[] = [];
  const discard = async () =>
    void (await Promise.allSettled(files.filter((f) => f.fresh).map((f) => blobs.remove(f.blob))));
  try {
    const { found, problems } = await findUploads(ctx, userId, inputs);
    let total = [...found.values()].reduce((sum, file) => sum + file.size, 0);
    for (const [index, input] of inputs.entries()) {
      const position = index + 1;
      const { file, upload } = fileInputOf(input);
      const named = { position, contentId: input.inline?.contentId ?? null, inline: false };
      const earlier = upload == null ? undefined : found.get(index);
      if (earlier !== undefined) files.push({ ...earlier, ...named });
      if (file == null) continue;
      const room = Math.max(0, limits.messageAttachmentsBytes - total);
      const kept = await keepFile(ctx, await file, index, room);
      files.push({ ...kept, ...named });
      total += kept.size;
    }
    if (total > limits.messageAttachmentsBytes)
      throw tooLarge(limits.messageAttachmentsBytes, 'together', ['attachments']);
    return { files, problems, discard };
  } catch (error) {
    await discard();
    throw error;
  }
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

/** Of a file what its bytes and its sender say; its place in the message is another matter. */
type StoredFile = Omit<NewFile, 'position' | 'contentId' | 'inline'>;

async function keepFile(
  ctx: DeskContext,
  file: IncomingFile,
  index: number,
  room: number,
): Promise<StoredFile> {
  const { limits, blobs } = ctx.desk;
  try {
    const stored = await blobs.put(file.open(), Math.min(limits.attachmentBytes, room));
    return {
      blob: stored.key,
      fresh: true,
      size: stored.byteSize,
      sha256: stored.sha256.toString('hex'),
      name: cleanFileName(file.fileName, index),
      type: cleanContentType(file.contentType),
    };
  } catch (error) {
    if (!(error instanceof BlobTooLarge)) throw error;
    if (room < limits.attachmentBytes)
      throw tooLarge(limits.messageAttachmentsBytes, 'together', ['attachments']);
    throw tooLarge(limits.attachmentBytes, 'each', ['attachments', index]);
  }
}

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
  const found = new Map<number, StoredFile>();
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

/**
 * A name that can be shown, sent and saved anywhere: no folder, no control or direction mark, no reserved device name, at most
 * 200 bytes with its extension kept.
 */
export function cleanFileName(name: string, index: number): string {
  // What follows is quadratic in runs of dots, and 200 bytes are kept anyway: of a name of megabytes the two ends are looked at.
  const short = name.length > 4096 ? name.slice(0, 4000) + name.slice(-96) : name;
  const last = short.toWellFormed().normalize('NFC').split(/[\\/]/).at(-1)!;
  const visible = last
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '')
    .replace(/["<>|:*?]/g, '_')
    .trim()
    .replace(/^\.+|[. ]+$/g, '');
  if (visible === '') return `attachment-${index + 1}`;
  return shortenName(/^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i.test(visible) ? `_${visible}` : visible);
}

/** The sender's media type without its parameters, or that of unknown bytes. */
export function cleanContentType(type: string): string {
  const plain = type.split(';')[0]!.trim().toLowerCase();
  return /^[a-z0-9!#$&^_.+-]{1,64}\/[a-z0-9!#$&^_.+-]{1,64}$/.test(plain)
    ? plain
    : 'application/octet-stream';
}
