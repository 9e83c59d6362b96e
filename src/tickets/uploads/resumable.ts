import { randomUUID } from 'node:crypto';
import { and, eq, notExists, sql } from 'drizzle-orm';
import type { Db } from '../../db/database.ts';
import { preparePerPool } from '../../db/prepare-per-pool.ts';
import { attachments, openUploads, uploads } from '../../db/tables.ts';
import { BlobMissing } from '../../storage/blob-store.ts';
import { uploadLifetimeHours } from '../../storage/garbage/expire-rows.ts';
import { cleanContentType, cleanFileName } from '../clean-file-metadata.ts';
import type { TicketContext } from '../context.ts';
import { requireViewer } from '../permissions.ts';
import { expiresInSeconds, findUpload, hasNotExpired, type Upload } from './complete-uploads.ts';
import { UploadFault, uploadNotFound } from './fault.ts';
import { isHeldBy } from './lease.ts';
import { assertFits, assertMayOpen, withQuota } from './quota.ts';
import { busy, runExclusively } from './run-exclusively.ts';
import type { NewUpload } from './store-in-one-request.ts';
import { takeOverBytes } from './take-over.ts';

/** An upload whose bytes are still arriving. */
export interface OpenUpload {
  /** A UUID. */
  readonly id: string;
  /** The uploader. */
  readonly userId: number;
  readonly blobKey: string;
  readonly fileName: string;
  readonly contentType: string;
  /** Size of the whole file in bytes; null until the client declares it. */
  readonly byteSize: number | null;
  /** The SHA-256 that the client declared; null if it did not. */
  readonly sha256: Buffer | null;
  /** Bytes that had arrived when they were last recorded. The blob store has the exact number. */
  readonly arrived: number;
  readonly expiresInSeconds: number;
}

/**
 * The progress of an upload. `upload` is present once it is complete. `offset` is the number of bytes that
 * have arrived, and `byteSize` that of the whole file, or null until the client declares it.
 */
export type UploadState =
  | {
      readonly upload: Upload;
      readonly offset: number;
      readonly byteSize: number;
      readonly expiresInSeconds: number;
    }
  | {
      readonly upload?: undefined;
      readonly offset: number;
      readonly byteSize: number | null;
      readonly expiresInSeconds: number;
    };

/**
 * Begins an upload that may arrive in several requests within a day. It has no bytes yet, see
 * `appendToUpload`.
 * @throws Refusal UNAUTHENTICATED; FORBIDDEN without the scope `write`; ATTACHMENT_TOO_LARGE when the
 *   declared size is above the limit of a file or of the user's quota, or the quota is used up
 * @throws UploadFault TOO_MANY_UPLOADS
 */
export async function beginUpload(ctx: TicketContext, input: NewUpload): Promise<OpenUpload> {
  const { userId } = requireViewer(ctx, 'write');
  const { blobs, database, limits } = ctx.services;
  const opened = {
    id: randomUUID(),
    userId,
    fileName: cleanFileName(input.fileName, 0),
    contentType: cleanContentType(input.contentType),
    byteSize: input.byteSize ?? null,
    sha256: input.sha256 ?? null,
  };
  const blobKey = await blobs.create();
  try {
    await withQuota(database.commands, userId, async (tx, held) => {
      assertMayOpen(limits, held.open);
      assertFits(limits, held, input.byteSize ?? 0);
      await tx.insert(openUploads).values({ ...opened, blobKey });
    });
  } catch (error) {
    await blobs.abandon(blobKey).catch(() => {});
    throw error;
  }
  return { ...opened, blobKey, arrived: 0, expiresInSeconds: uploadLifetimeHours * 3600 };
}

const selectOpenUpload = preparePerPool((db: Db) => {
  const { id, userId, blobKey, fileName, contentType, byteSize, sha256, arrived } = openUploads;
  const columns = { id, userId, blobKey, fileName, contentType, byteSize, sha256, arrived };
  return db
    .select({ ...columns, expiresInSeconds: expiresInSeconds(openUploads) })
    .from(openUploads)
    .where(
      and(eq(id, sql.placeholder('id')), eq(userId, sql.placeholder('userId')), hasNotExpired(openUploads)),
    )
    .prepare('find_open_upload');
});

/**
 * Finds an unfinished upload of the viewer that has not expired. Undefined for any other id.
 * @throws Refusal UNAUTHENTICATED; FORBIDDEN without the scope `write`
 */
export async function findOpenUpload(ctx: TicketContext, id: string): Promise<OpenUpload | undefined> {
  const { userId } = requireViewer(ctx, 'write');
  const [row] = await selectOpenUpload(ctx.services.database.commands).execute({ id, userId });
  return row;
}

/**
 * Deletes the row of an unfinished upload, and not its bytes.
 * @param writer the request that has the lease
 * @returns the key of its bytes; undefined when there is no such row, or another request has the lease
 */
export async function forgetOpenUpload(db: Db, id: string, writer: string): Promise<string | undefined> {
  const [gone] = await db
    .delete(openUploads)
    .where(isHeldBy(id, writer))
    .returning({ blobKey: openUploads.blobKey });
  return gone?.blobKey;
}

/**
 * Returns the progress of the viewer's own upload, complete or not. A request that still sends bytes is ended
 * first, because a client that asks for the progress has given that request up.
 * @param arrival number of this request, by `nextArrival`
 * @throws Refusal UNAUTHENTICATED; FORBIDDEN without the scope `write`
 * @throws UploadFault UPLOAD_NOT_FOUND; UPLOAD_BUSY as `runExclusively`
 */
export async function uploadState(ctx: TicketContext, id: string, arrival: number): Promise<UploadState> {
  const { commands } = ctx.services.database;
  if ((await findOpenUpload(ctx, id)) !== undefined) {
    const state = await runExclusively(
      commands,
      id,
      arrival,
      () => {},
      async (writer) => {
        const open = await findOpenUpload(ctx, id);
        return open === undefined ? undefined : { ...open, offset: await arrivedOf(ctx, open, writer) };
      },
      (writer) => takeOverBytes(ctx.services, id, writer),
    );
    if (state !== undefined) {
      const { offset, byteSize, expiresInSeconds } = state;
      return { offset, byteSize, expiresInSeconds };
    }
  }
  const whole = await findUpload(commands, id, requireViewer(ctx, 'write').userId);
  if (whole === undefined) throw uploadNotFound();
  const { byteSize, expiresInSeconds } = whole;
  return { upload: whole, offset: byteSize, byteSize, expiresInSeconds };
}

/**
 * The number of bytes in the blob store, which may be complete already when recording that has failed. If
 * they are lost the upload is deleted, because an offset never goes back.
 * @param writer the request that has the lease
 * @throws UploadFault UPLOAD_NOT_FOUND; UPLOAD_BUSY when this request has lost the lease; the store's errors
 */
export async function arrivedOf(
  { services }: TicketContext,
  { id, blobKey }: OpenUpload,
  writer: string,
): Promise<number> {
  try {
    return await services.blobs.sizeOf(blobKey);
  } catch (error) {
    if (!(error instanceof BlobMissing)) throw error;
    const finished = await services.blobs.byteSizeOf(blobKey);
    if (finished !== undefined) return finished;
    if ((await forgetOpenUpload(services.database.commands, id, writer)) === undefined) throw busy();
    throw uploadNotFound();
  }
}

/**
 * Deletes the viewer's own upload, complete or not. One that is attached to a message stays. A request that
 * still sends bytes is ended first. The bytes of a complete upload are left to garbage collection. A message
 * that is being written with the upload at this moment may still get it.
 * @param arrival number of this request, by `nextArrival`
 * @throws Refusal UNAUTHENTICATED; FORBIDDEN without the scope `write`
 * @throws UploadFault UPLOAD_NOT_FOUND; UPLOAD_COMPLETE when it is attached; UPLOAD_BUSY as `runExclusively`
 */
export async function cancelUpload(ctx: TicketContext, id: string, arrival: number): Promise<void> {
  const { userId } = requireViewer(ctx, 'write');
  const { blobs, database } = ctx.services;
  if ((await findOpenUpload(ctx, id)) !== undefined) {
    const gone = await runExclusively(
      database.commands,
      id,
      arrival,
      () => {},
      (writer) => forgetOpenUpload(database.commands, id, writer),
    );
    // The row is gone. Bytes that cannot be removed now are garbage collected.
    if (gone !== undefined) return blobs.abandon(gone).catch(() => {});
  }
  const attached = database.commands
    .select({ id: attachments.id })
    .from(attachments)
    .where(eq(attachments.uploadId, uploads.id));
  const gone = await database.commands
    .delete(uploads)
    .where(and(eq(uploads.id, id), eq(uploads.userId, userId), hasNotExpired(uploads), notExists(attached)))
    .returning({ id: uploads.id });
  if (gone.length > 0) return;
  // Whether there was one is asked afterwards: a message may have got it a moment ago.
  if ((await findUpload(database.commands, id, userId)) === undefined) throw uploadNotFound();
  throw new UploadFault('UPLOAD_COMPLETE', 'The upload is attached to a message');
}
