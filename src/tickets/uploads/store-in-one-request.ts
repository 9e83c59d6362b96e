import { randomUUID } from 'node:crypto';
import { asUnavailable } from '../../platform/database-faults.ts';
import { Refusal } from '../../platform/errors.ts';
import { BlobTooLarge, type StoredBlob } from '../../storage/blob-store.ts';
import { cleanContentType, cleanFileName } from '../clean-file-metadata.ts';
import type { TicketContext } from '../context.ts';
import { requireViewer } from '../permissions.ts';
import { refuse } from '../refusals-by-command.ts';
import { recordUpload, type Upload } from './complete-uploads.ts';
import { UploadFault } from './fault.ts';
import {
  assertFits,
  assertMayOpen,
  availableBytes,
  readQuotaUse,
  refusalBeyondAvailable,
  withQuota,
} from './quota.ts';

/** Metadata of an upload that is beginning, as its client declares them. */
export interface NewUpload {
  /** Stored after `cleanFileName`. */
  readonly fileName: string;
  /** Stored after `cleanContentType`. */
  readonly contentType: string;
  /** Size of the whole file in bytes. */
  readonly byteSize?: number | undefined;
  /** SHA-256 of the whole file. */
  readonly sha256?: Buffer | undefined;
}

/** A request's body, which can be read once. */
export interface IncomingBody extends AsyncIterable<Buffer> {
  /** Whether the whole body was read. */
  readonly ended: boolean;
  /** Whether the client disconnected or was stopped. */
  readonly broken: boolean;
  /** Stops the body. Its reader gets the error. */
  stop(why: Error): void;
}

/** Per user, the single-request uploads that are arriving in this process. They have no row yet. */
const arriving = new Map<number, number>();

/**
 * Stores a file that arrives in one request as an upload. Its uploader can attach it once, within a day. When
 * it throws, no upload remains, except perhaps after Unavailable. The declared size is compared with the
 * limits, not with the bytes that come.
 * @throws Refusal UNAUTHENTICATED; FORBIDDEN without the scope `write`; ATTACHMENT_TOO_LARGE, also for the
 *   quota
 * @throws UploadFault TOO_MANY_UPLOADS, UPLOAD_DIGEST
 * @throws Unavailable when the database does not answer
 * @throws the error of the body, when the request breaks off
 */
export async function storeUpload(
  ctx: TicketContext,
  input: NewUpload,
  source: IncomingBody,
): Promise<Upload> {
  const { userId } = requireViewer(ctx, 'write');
  const { blobs, database, limits } = ctx.services;
  const held = await readQuotaUse(database.commands, userId).catch((error) => {
    throw asUnavailable(error);
  });
  const count = arriving.get(userId) ?? 0;
  assertMayOpen(limits, held.open + count);
  const room = availableBytes(limits, held, input.byteSize);
  arriving.set(userId, count + 1);
  try {
    const blob = await blobs.put(source, room).catch((error) => {
      if (!(error instanceof BlobTooLarge)) throw error;
      throw refuse<'uploadFile'>(refusalBeyondAvailable(ctx.services, room));
    });
    if (input.sha256 !== undefined && !input.sha256.equals(blob.sha256)) {
      await blobs.remove(blob.key).catch(() => {});
      throw digestMismatch();
    }
    return await recordWithinQuota(ctx, userId, input, blob);
  } finally {
    const left = arriving.get(userId)! - 1;
    if (left === 0) arriving.delete(userId);
    else arriving.set(userId, left);
  }
}

/** Records the upload, unless others of the user have taken its room while its bytes arrived. */
async function recordWithinQuota(
  { services: { blobs, database, limits } }: TicketContext,
  userId: number,
  { fileName, contentType }: NewUpload,
  blob: StoredBlob,
): Promise<Upload> {
  const names = { fileName: cleanFileName(fileName, 0), contentType: cleanContentType(contentType) };
  try {
    return await withQuota(database.commands, userId, async (tx, held) => {
      assertFits(limits, held, blob.byteSize);
      return recordUpload(tx, { id: randomUUID(), userId, blob, ...names });
    });
  } catch (error) {
    // After a fault nobody knows whether the commit happened: the file stays until garbage collection.
    if (error instanceof Refusal) await blobs.remove(blob.key).catch(() => {});
    throw asUnavailable(error);
  }
}

/** Makes the fault for a file whose SHA-256 is not the one that was announced. */
export const digestMismatch = (): UploadFault =>
  new UploadFault('UPLOAD_DIGEST', 'The file does not have the announced digest');
