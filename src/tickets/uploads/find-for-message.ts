import { and, eq, exists, gt, inArray, sql } from 'drizzle-orm';
import type { Db } from '../../db/database.ts';
import {
  attachments as attachmentsTable,
  blobs as blobsTable,
  uploads as uploadsTable,
} from '../../db/tables.ts';
import type { Problem, Refusal } from '../../platform/errors.ts';
import { uploadLifetimeHours } from '../../storage/garbage/expire-rows.ts';
import type { FileOf } from '../add-message/columns.ts';
import { type AttachmentInput, fileInputOf } from '../add-message/input.ts';
import type { TicketContext } from '../context.ts';
import { invalidInput } from '../invalid-input.ts';

const attachedAlready =
  'This upload is already attached to a message, and an upload can be attached only once';

/**
 * The refusal for a message whose upload another message attached at the same moment; undefined for other
 * errors. It names all uploads of the message, as the error does not say which one it was.
 */
export function refusalIfJustAttached(
  error: unknown,
  inputs: readonly AttachmentInput[],
): Refusal<'INVALID_INPUT'> | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    if ((at as { constraint_name?: unknown }).constraint_name !== 'attachments_upload_key') continue;
    const problems = inputs
      .map(fileInputOf)
      .flatMap(({ upload, path }, index) =>
        upload == null ? [] : [{ path: ['attachments', index, ...path, 'upload'], message: attachedAlready }],
      );
    return invalidInput(problems);
  }
  return undefined;
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/**
 * Finds the uploads that a message's attachments name. Returns, by index in `inputs`, those that were found.
 * Only their uploader may attach them. Expired uploads are not found even before garbage collection, which
 * could remove them before the commit. `attached` are problems for uploads that a message already has; they
 * do not count when this call repeats the one that attached them.
 */
export async function findUploadsToAttach(
  ctx: TicketContext,
  userId: number,
  inputs: readonly AttachmentInput[],
) {
  const named = inputs
    .map(fileInputOf)
    .flatMap(({ upload, path }, index) => (upload == null ? [] : [{ index, path, id: uploadIdOf(upload) }]));
  const found = new Map<number, FileOf>();
  const ids = named.flatMap(({ id }) => (id === undefined ? [] : [id]));
  const rows = ids.length === 0 ? [] : await selectUploads(ctx.services.database.desk, ids);
  const byId = new Map(rows.map((row) => [row.upload.id, row]));
  const problems: Problem[] = [];
  const attached: Problem[] = [];
  const seen = new Set<string>();
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
    const again = { path: ['attachments', index, ...path, 'upload'], message: attachedAlready };
    if (seen.has(upload.id)) problems.push(again);
    else if (row.attached) attached.push(again);
    seen.add(upload.id);
    const sha256 = blob.sha256.toString('hex');
    found.set(index, {
      blobKey: blob.key,
      isFresh: false,
      byteSize: blob.byteSize,
      sha256,
      fileName: upload.fileName,
      contentType: upload.contentType,
      uploadId: upload.id,
    });
  }
  return { found, problems, attached };
}

const selectUploads = (db: Db, ids: readonly string[]) =>
  db
    .select({
      upload: uploadsTable,
      blob: blobsTable,
      attached: exists(
        db
          .select({ one: sql`1` })
          .from(attachmentsTable)
          .where(eq(attachmentsTable.uploadId, uploadsTable.id)),
      ),
    })
    .from(uploadsTable)
    .innerJoin(blobsTable, eq(blobsTable.key, uploadsTable.blobKey))
    .where(
      and(
        inArray(uploadsTable.id, [...ids]),
        gt(uploadsTable.createdAt, sql`now() - make_interval(hours => ${uploadLifetimeHours})`),
      ),
    );

function uploadIdOf(globalId: string): string | undefined {
  const text = Buffer.from(globalId, 'base64').toString('latin1');
  const id = text.startsWith('Upload:') ? text.slice('Upload:'.length).toLowerCase() : '';
  return uuid.test(id) ? id : undefined;
}
