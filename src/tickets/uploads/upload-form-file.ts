import { randomUUID } from 'node:crypto';
import type { IncomingFile } from '../../platform/incoming-file.ts';
import { BlobTooLarge } from '../../storage/blob-store.ts';
import { cleanContentType, cleanFileName } from '../clean-file-metadata.ts';
import type { TicketContext } from '../context.ts';
import { requireViewer } from '../permissions.ts';
import { refuse } from '../refusals-by-command.ts';
import { recordUpload, type Upload } from './complete-uploads.ts';
import { assertFits, tooLarge, withQuota } from './quota.ts';

/** Input of `uploadFile`. */
export interface UploadFileInput {
  readonly file: PromiseLike<IncomingFile> | IncomingFile;
}

/**
 * Stores a file of a GraphQL multipart request as an upload, before its message is written. Its uploader can
 * attach it once, within a day. It waits until the file has arrived.
 * @throws Refusal UNAUTHENTICATED; FORBIDDEN without the scope `write`; ATTACHMENT_TOO_LARGE for a file above
 *   the limit, and for one that the user's quota has no room for
 * @throws the error of a file that could not be received
 */
export async function uploadFile(ctx: TicketContext, input: UploadFileInput): Promise<Upload> {
  const viewer = requireViewer(ctx, 'write');
  const { database, limits } = ctx.services;
  const file = await input.file;
  const received = await file.received.catch((error) => {
    if (!(error instanceof BlobTooLarge)) throw error;
    const limitBytes = Math.min(limits.attachmentBytes, error.limitBytes);
    throw refuse<'uploadFile'>(tooLarge(limitBytes));
  });
  return withQuota(database.commands, viewer.userId, async (tx, held) => {
    assertFits(limits, held, received.byteSize);
    // After a fault nobody knows whether the commit happened: the file stays until garbage collection.
    received.claim();
    return recordUpload(tx, {
      id: randomUUID(),
      userId: viewer.userId,
      blob: received,
      fileName: cleanFileName(file.fileName, 0),
      contentType: cleanContentType(file.contentType),
    });
  });
}
