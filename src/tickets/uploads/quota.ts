import { and, eq, gt, or, sql } from 'drizzle-orm';
import type { Limits } from '../../config.ts';
import type { Db, Reader, Tx } from '../../db/database.ts';
import { preparePerPool } from '../../db/prepare-per-pool.ts';
import { attachments, blobs, openUploads, uploads } from '../../db/tables.ts';
import { Refusal } from '../../platform/errors.ts';
import type { TicketServices } from '../context.ts';
import { refuse } from '../refusals-by-command.ts';
import { hasNotExpired } from './complete-uploads.ts';
import { UploadFault } from './fault.ts';

/** What a user's uploads that are attached to no message and have not expired use of the quota. */
export interface Held {
  /** Number of uploads whose bytes are still arriving. */
  readonly open: number;
  /** Bytes that arrived or were declared, at least 64 KiB for each upload. */
  readonly bytes: number;
}

/** Each upload counts as at least this many bytes in the quota. */
export const leastBytes = 64 * 1024;

const selectHeld = preparePerPool((db) => {
  const user = sql.placeholder('userId');
  const { byteSize, arrived, leaseUntil } = openUploads;
  const open = db
    .select({
      uploads: sql<number>`count(*)::int`.as('uploads'),
      bytes: sql<number>`coalesce(sum(greatest(${byteSize}, ${arrived}, ${leastBytes})), 0)`.as('open_bytes'),
    })
    .from(openUploads)
    // An expired one counts for as long as a request is still appending to it.
    .where(and(eq(openUploads.userId, user), or(hasNotExpired(openUploads), gt(leaseUntil, sql`now()`))))
    .as('open');
  const whole = db
    .select({
      bytes: sql<number>`coalesce(sum(greatest(${blobs.byteSize}, ${leastBytes})), 0)`.as('whole_bytes'),
    })
    .from(uploads)
    .innerJoin(blobs, eq(blobs.key, uploads.blobKey))
    .where(
      and(
        eq(uploads.userId, user),
        hasNotExpired(uploads),
        sql`not exists (select from ${attachments} where ${attachments.uploadId} = ${uploads.id})`,
      ),
    )
    .as('whole');
  return db
    .select({ open: open.uploads, bytes: sql<number>`(${open.bytes} + ${whole.bytes})::float8` })
    .from(open)
    .crossJoin(whole)
    .prepare('held_by');
});

/** Reads what a user's uploads use of the quota, see `Held`. Nothing is locked. */
export async function readQuotaUse(db: Reader, userId: number): Promise<Held> {
  const [row] = await selectHeld(db).execute({ userId });
  return row!;
}

/** An arbitrary lock id. Together with the user's id it serializes what changes that user's uploads. */
const quotaLock = 7_407_472;

/**
 * Runs work in a transaction while nothing else adds to the user's uploads, in any process, and returns its
 * result. It waits for other work on them. When the work throws, the transaction is rolled back.
 * @param work gets as `held` how much of the quota the uploads use; nothing is added to that before the
 *   commit
 */
export const withQuota = <T>(db: Db, userId: number, work: (tx: Tx, held: Held) => Promise<T>): Promise<T> =>
  db.transaction(async (tx) => {
    await tx.execute(sql`select pg_advisory_xact_lock(${quotaLock}, ${userId})`);
    return work(tx, await readQuotaUse(tx, userId));
  });

/**
 * Most bytes that one more upload of the user may have: the limit of a file, or what is left of the quota.
 * @param announced the upload's declared size in bytes, if any
 * @throws Refusal ATTACHMENT_TOO_LARGE when that is less than the announced size, or less than 64 KiB
 */
export function availableBytes(limits: Limits, held: Held, announced: number | undefined): number {
  assertFits(limits, held, announced ?? 0);
  const left = limits.uploadedBytes - held.bytes;
  return Math.min(limits.attachmentBytes, left);
}

/**
 * Checks that one more upload of this size is within the limits of a file and of the user's quota, of which
 * it takes at least 64 KiB.
 * @param byteSize in bytes; 0 if it is not known
 * @throws Refusal ATTACHMENT_TOO_LARGE with the limit that would be exceeded
 */
export function assertFits(limits: Limits, held: Held, byteSize: number): void {
  if (byteSize > limits.attachmentBytes) throw refuse<'uploadFile'>(tooLarge(limits.attachmentBytes));
  if (limits.uploadedBytes - held.bytes < Math.max(byteSize, leastBytes))
    throw refuse<'uploadFile'>(tooMuch(limits.uploadedBytes));
}

/**
 * Checks that the user may begin one more upload.
 * @param open number of the user's unfinished uploads
 * @throws UploadFault TOO_MANY_UPLOADS when that is as many as allowed
 */
export function assertMayOpen(limits: Limits, open: number): void {
  if (open < limits.openUploads) return;
  const message = `You have ${open} unfinished uploads; ${limits.openUploads} are allowed`;
  throw new UploadFault('TOO_MANY_UPLOADS', message);
}

/** Makes the refusal for a file larger than the limit, with the path `['file']`. */
export const tooLarge = (limitBytes: number): Refusal<'ATTACHMENT_TOO_LARGE'> =>
  new Refusal('ATTACHMENT_TOO_LARGE', `The file is larger than ${limitBytes} bytes`, { limitBytes }, [
    'file',
  ]);

const tooMuch = (limitBytes: number): Refusal<'ATTACHMENT_TOO_LARGE'> =>
  new Refusal(
    'ATTACHMENT_TOO_LARGE',
    `The files that you have uploaded and not attached yet would have more than ${limitBytes} bytes in total`,
    { limitBytes },
    ['file'],
  );

/**
 * Makes the refusal for an upload that turned out larger than it may be. It names the quota if `room` is less
 * than the limit of a file, and that limit otherwise.
 * @param room how many bytes the upload might have
 */
export const refusalBeyondAvailable = (
  { limits }: TicketServices,
  room: number,
): Refusal<'ATTACHMENT_TOO_LARGE'> =>
  room < limits.attachmentBytes ? tooMuch(limits.uploadedBytes) : tooLarge(limits.attachmentBytes);
