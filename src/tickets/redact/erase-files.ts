import { and, asc, inArray, notExists, sql } from 'drizzle-orm';
import type { Tx } from '../../db/database.ts';
import { attachments, blobs, uploads } from '../../db/tables.ts';

/**
 * Erases attachments of one ticket, whose lock the transaction holds, and keeps their rows with little more
 * than position and size. The name, the type and the digest go too, because a digest would reveal a short
 * file. An upload of the same blob is deleted as well; a file of another message with the same blob stays. No
 * bytes are removed.
 * @returns keys of the blobs that no row references any more, whose bytes the caller removes after the commit
 */
export async function eraseFiles(tx: Tx, attachmentIds: readonly number[]): Promise<string[]> {
  if (attachmentIds.length === 0) return [];
  const those = inArray(attachments.id, [...attachmentIds]);
  const named = await tx
    .select({ key: blobs.key })
    .from(blobs)
    .where(inArray(blobs.key, tx.select({ key: attachments.blobKey }).from(attachments).where(those)))
    .orderBy(asc(blobs.key))
    .for('update');
  const keys = named.map(({ key }) => key);
  await tx
    .update(attachments)
    .set({
      blobKey: null,
      redactedAt: sql`clock_timestamp()`,
      fileName: sql`'redacted-' || ${attachments.position}`,
      contentType: 'application/octet-stream',
      sha256: Buffer.alloc(0),
      contentId: null,
      scan: null,
      scanDueAt: null,
      scanFound: null,
    })
    .where(those);
  if (keys.length === 0) return [];
  await tx.delete(uploads).where(inArray(uploads.blobKey, keys));
  const naming = tx
    .select({ one: sql`1` })
    .from(attachments)
    .where(sql`${attachments.blobKey} = ${blobs.key}`);
  const gone = await tx
    .delete(blobs)
    .where(and(inArray(blobs.key, keys), notExists(naming)))
    .returning({ key: blobs.key });
  return gone.map(({ key }) => key);
}
