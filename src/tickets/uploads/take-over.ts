import { eq } from 'drizzle-orm';
import { openUploads } from '../../db/tables.ts';
import type { TicketServices } from '../context.ts';
import { isHeldBy } from './lease.ts';
import { busy } from './run-exclusively.ts';

/**
 * Moves the bytes of an unfinished upload to a new key, after a writer that has not freed its lease. That one
 * may be asleep with its file open, or with a part on its way to S3, and may go on writing, or cut what it
 * wrote, whenever it wakes up. All of this concerns the old key, which no row names any more. Does nothing
 * when the bytes are complete already, or missing.
 * @param writer the UUID of the request that has the lease now
 * @throws UploadFault UPLOAD_BUSY when this request has lost the lease meanwhile
 * @throws StoreUnavailable, or the error of a broken disk
 */
export async function takeOverBytes(
  { blobs, database: { commands } }: Pick<TicketServices, 'blobs' | 'database'>,
  id: string,
  writer: string,
): Promise<void> {
  const [open] = await commands
    .select({ blobKey: openUploads.blobKey })
    .from(openUploads)
    .where(eq(openUploads.id, id));
  if (open === undefined) return;
  const blobKey = await blobs.takeOver(open.blobKey);
  if (blobKey === undefined) return;
  const moved = await commands
    .update(openUploads)
    .set({ blobKey })
    .where(isHeldBy(id, writer))
    .returning({ id: openUploads.id });
  // What cannot be removed now is garbage collected.
  const left = moved.length > 0 ? open.blobKey : blobKey;
  await blobs.remove(left).catch(() => {});
  if (moved.length === 0) throw busy();
}
