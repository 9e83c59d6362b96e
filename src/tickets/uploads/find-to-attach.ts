import { and, eq, exists, gt, inArray, sql } from 'drizzle-orm';
import type { Db } from '../../db/database.ts';
import {
  attachments as attachmentsTable,
  blobs as blobsTable,
  messages as messagesTable,
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
 * The refusal for a message when a concurrent one has just attached one of its uploads; undefined for other
 * errors. It names all uploads of the message, as the error does not say which one it was.
 * @param error what the write of the message threw
 * @param inputs the message's attachments
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
 * Finds the uploads that a message's attachments name. Only their uploader may attach them, once. It throws
 * no refusal and locks nothing.
 * @param inputs attachments, some of which may be files instead of uploads
 * @returns `found`: the files of the uploads, keyed by their index in `inputs`. `problems`: one for each
 *   upload that does not exist, is another user's, has expired, or is named twice. `attached`: one for each
 *   upload that is attached to a message already; it is in `found` too, even if it has expired. The caller
 *   ignores `attached` when the command repeats the one that attached these uploads
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
  const byId = await findFiles(ctx.services.database.desk, userId, ids);
  const problems: Problem[] = [];
  const attached: Problem[] = [];
  const seen = new Set<string>();
  for (const { index, path: own, id } of named) {
    const row = id === undefined ? undefined : byId.get(id);
    const path = ['attachments', index, ...own, 'upload'];
    if (row === undefined) {
      problems.push({ path, message: 'There is no such upload, or it has expired' });
      continue;
    }
    if (seen.has(id!)) problems.push({ path, message: attachedAlready });
    else if (row.attached) attached.push({ path, message: attachedAlready });
    seen.add(id!);
    found.set(index, row.file);
  }
  return { found, problems, attached };
}

interface FoundFile {
  readonly file: FileOf;
  /** Whether a message has it already. */
  readonly attached: boolean;
}

/** The files of a user's uploads by id, and those of expired uploads that a message has. */
async function findFiles(db: Db, userId: number, ids: readonly string[]): Promise<Map<string, FoundFile>> {
  if (ids.length === 0) return new Map();
  const current = await selectUploads(db, userId, ids);
  const known = new Set(current.map(({ uploadId }) => uploadId));
  const expired = ids.filter((id) => !known.has(id));
  const rows = expired.length === 0 ? current : [...current, ...(await selectAttached(db, userId, expired))];
  return new Map(
    rows.map(({ attached, sha256, uploadId, ...file }) => [
      uploadId,
      { attached, file: { ...file, uploadId, isFresh: false, sha256: sha256.toString('hex') } },
    ]),
  );
}

/**
 * Expired uploads are not found even before garbage collection, which could remove them before the commit.
 */
const selectUploads = (db: Db, userId: number, ids: readonly string[]) =>
  db
    .select({
      uploadId: uploadsTable.id,
      ...{ fileName: uploadsTable.fileName, contentType: uploadsTable.contentType },
      ...{ blobKey: blobsTable.key, byteSize: blobsTable.byteSize, sha256: blobsTable.sha256 },
      attached: sql<boolean>`${exists(
        db
          .select({ one: sql`1` })
          .from(attachmentsTable)
          .where(eq(attachmentsTable.uploadId, uploadsTable.id)),
      )}`,
    })
    .from(uploadsTable)
    .innerJoin(blobsTable, eq(blobsTable.key, uploadsTable.blobKey))
    .where(
      and(
        inArray(uploadsTable.id, [...ids]),
        eq(uploadsTable.userId, userId),
        gt(uploadsTable.createdAt, sql`now() - make_interval(hours => ${uploadLifetimeHours})`),
      ),
    );

/** A call that attached an upload may be repeated after the upload has expired. */
const selectAttached = (db: Db, userId: number, ids: readonly string[]) =>
  db
    .select({
      uploadId: sql<string>`${attachmentsTable.uploadId}`,
      ...{ fileName: attachmentsTable.fileName, contentType: attachmentsTable.contentType },
      ...{ blobKey: blobsTable.key, byteSize: blobsTable.byteSize, sha256: blobsTable.sha256 },
      attached: sql<boolean>`true`,
    })
    .from(attachmentsTable)
    .innerJoin(blobsTable, eq(blobsTable.key, attachmentsTable.blobKey))
    .innerJoin(messagesTable, eq(messagesTable.id, attachmentsTable.messageId))
    .where(and(inArray(attachmentsTable.uploadId, [...ids]), eq(messagesTable.authorId, userId)));

function uploadIdOf(globalId: string): string | undefined {
  const text = Buffer.from(globalId, 'base64').toString('latin1');
  const id = text.startsWith('Upload:') ? text.slice('Upload:'.length).toLowerCase() : '';
  return uuid.test(id) ? id : undefined;
}
