import { inArray } from 'drizzle-orm';
import { blobs } from '../../../db/tables.ts';
import { brokenConstraint } from '../../../platform/database-faults.ts';
import type { Refusal } from '../../../platform/errors.ts';
import type { TicketContext } from '../../context.ts';
import { invalidInput } from '../../refusals.ts';
import type { MessageRow } from './columns.ts';

/**
 * The refusal for a row whose earlier uploads were redacted between their lookup and the write: the same as
 * if they had been redacted before. Undefined for any other error.
 */
export async function lostUploads(
  ctx: TicketContext,
  { files = [] }: MessageRow,
  error: unknown,
): Promise<Refusal | undefined> {
  if (brokenConstraint(error) !== 'attachments_blob_key_blobs_key_fk') return undefined;
  const named = files.filter(({ isFresh }) => !isFresh);
  const keys = named.map(({ blobKey }) => blobKey!);
  const rows = await ctx.services.database.desk
    .select({ key: blobs.key })
    .from(blobs)
    .where(inArray(blobs.key, keys));
  const left = new Set(rows.map(({ key }) => key));
  const problems = named
    .filter(({ blobKey }) => !left.has(blobKey!))
    .map(({ position }) => ({
      path: ['attachments', position - 1, 'upload'],
      message: 'There is no such upload, or it has expired',
    }));
  return problems.length === 0 ? undefined : invalidInput(problems);
}
