import { and, eq, gt, sql } from 'drizzle-orm';
import type { Db, Tx } from '../../db/database.ts';
import { preparePerPool } from '../../db/prepare-per-pool.ts';
import { attachments, blobs, openUploads, uploads } from '../../db/tables.ts';
import type { StoredBlob } from '../../storage/blob-store.ts';
import { uploadLifetimeHours } from '../../storage/garbage/expire-rows.ts';

/** A complete upload. */
export interface Upload {
  /** A UUID, not the global id. */
  readonly id: string;
  readonly fileName: string;
  readonly contentType: string;
  readonly byteSize: number;
  readonly sha256: Buffer;
}

/** A stored blob, with what makes it an upload. */
export interface NamedBlob {
  /** UUID of the upload. */
  readonly id: string;
  /** The uploader. */
  readonly userId: number;
  readonly blob: StoredBlob;
  readonly fileName: string;
  readonly contentType: string;
}

const value = sql.placeholder;

const insertUpload = preparePerPool((db: Db | Tx) =>
  db
    .with(
      db.$with('arrived').as(db.delete(openUploads).where(eq(openUploads.id, value('id')))),
      db.$with('bytes').as(
        db
          .insert(blobs)
          .values({ key: value('key'), byteSize: value('byteSize'), sha256: value('sha256') })
          .onConflictDoNothing({ target: blobs.key }),
      ),
    )
    .insert(uploads)
    .values({
      id: value('id'),
      userId: value('userId'),
      blobKey: value('key'),
      fileName: value('fileName'),
      contentType: value('contentType'),
    })
    .prepare('keep_upload'),
);

/**
 * Records a complete upload and its blob, and deletes its unfinished row, if any, in one statement. The
 * caller has checked the quota.
 */
export async function recordUpload(db: Db | Tx, { id, userId, blob, ...names }: NamedBlob): Promise<Upload> {
  const { key, byteSize, sha256 } = blob;
  await insertUpload(db).execute({ id, userId, key, byteSize, sha256, ...names });
  return { id, ...names, byteSize, sha256 };
}

const lifetime = sql`make_interval(hours => ${uploadLifetimeHours})`;
/**
 * SQL condition for uploads that have not expired: an unfinished one expires a day after it was begun, a
 * complete one a day after it was completed.
 */
export const hasNotExpired = (table: typeof uploads | typeof openUploads) =>
  gt(table.createdAt, sql`now() - ${lifetime}`);
/** SQL for the whole seconds until an upload expires. */
export const expiresInSeconds = (table: typeof uploads | typeof openUploads) =>
  sql<number>`extract(epoch from ${table.createdAt} + ${lifetime} - now())::int`;

const selectUpload = preparePerPool((db: Db) =>
  db
    .select({
      id: uploads.id,
      fileName: uploads.fileName,
      contentType: uploads.contentType,
      byteSize: blobs.byteSize,
      sha256: blobs.sha256,
      attached: sql<boolean>`exists (
        select from ${attachments} where ${attachments.uploadId} = ${uploads.id})`,
      expiresInSeconds: expiresInSeconds(uploads),
    })
    .from(uploads)
    .innerJoin(blobs, eq(blobs.key, uploads.blobKey))
    .where(and(eq(uploads.id, value('id')), eq(uploads.userId, value('userId')), hasNotExpired(uploads)))
    .prepare('find_upload'),
);

/**
 * Finds a user's own complete upload, and whether it is attached to a message. Undefined when there is none
 * of this id, when it is another user's, and when it has expired.
 * @param id a UUID
 */
export async function findUpload(
  db: Db,
  id: string,
  userId: number,
): Promise<(Upload & { attached: boolean; expiresInSeconds: number }) | undefined> {
  const [row] = await selectUpload(db).execute({ id, userId });
  return row;
}
