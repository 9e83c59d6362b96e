import { and, eq, gt, inArray, sql } from 'drizzle-orm';
import { blobs as blobsTable, uploads as uploadsTable } from '../db/tables.ts';
import { type Problem, Refusal } from '../errors.ts';
import { BlobTooLarge } from '../storage/blob-store.ts';
import { uploadLifetimeHours } from '../storage/collect.ts';
import type { IncomingFile } from '../upload.ts';
import type { DeskContext } from './desk.ts';
import { cleanContentType, cleanFileName } from './file-name.ts';
import type { AttachmentInput } from './message-input.ts';
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
    for (const [index, { file, upload }] of inputs.entries()) {
      const position = index + 1;
      const earlier = upload == null ? undefined : found.get(index);
      if (earlier !== undefined) files.push({ ...earlier, position });
      if (file == null) continue;
      const room = Math.max(0, limits.messageAttachmentsBytes - total);
      const kept = await keepFile(ctx, await file, index, room);
      files.push({ ...kept, position });
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

async function keepFile(
  ctx: DeskContext,
  file: IncomingFile,
  index: number,
  room: number,
): Promise<Omit<NewFile, 'position'>> {
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
  const named = inputs.flatMap(({ upload }, index) =>
    upload == null ? [] : [{ index, id: uploadIdOf(upload) }],
  );
  const found = new Map<number, Omit<NewFile, 'position'>>();
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
  for (const { index, id } of named) {
    const row = id === undefined ? undefined : byId.get(id);
    if (row === undefined || row.upload.userId !== userId) {
      problems.push({
        path: ['attachments', index, 'upload'],
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
