import { and, eq, sql } from 'drizzle-orm';
import type { Limits } from '../../config.ts';
import type { Reader } from '../../db/database.ts';
import { preparedFor } from '../../db/prepared.ts';
import { attachments, blobs, openUploads, uploads } from '../../db/tables.ts';
import { Refusal } from '../../platform/errors.ts';
import type { TicketServices } from '../context.ts';
import { refuse } from '../refused-by.ts';
import { UploadFault } from './faults.ts';
import { hasNotExpired } from './keep.ts';

/** A user's uploads that are attached to no message yet. */
export interface Held {
  /** Uploads whose bytes are still arriving. */
  readonly open: number;
  /** Bytes that arrived or were declared. */
  readonly bytes: number;
}

/** Each upload counts as at least this many bytes. */
const leastBytes = 64 * 1024;

const selectHeld = preparedFor((db) => {
  const user = sql.placeholder('userId');
  const { byteSize, arrived } = openUploads;
  const open = db
    .select({
      uploads: sql<number>`count(*)::int`.as('uploads'),
      bytes: sql<number>`coalesce(sum(greatest(${byteSize}, ${arrived}, ${leastBytes})), 0)`.as('open_bytes'),
    })
    .from(openUploads)
    .where(eq(openUploads.userId, user))
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

export async function heldBy(db: Reader, userId: number): Promise<Held> {
  const [row] = await selectHeld(db).execute({ userId });
  return row!;
}

/**
 * Most bytes that one more upload may have.
 * @throws Refusal ATTACHMENT_TOO_LARGE when that is less than declared, or nothing
 */
export function roomFor(limits: Limits, held: Held, announced: number | undefined): number {
  if (announced !== undefined && announced > limits.attachmentBytes)
    throw refuse<'uploadFile'>(tooLarge(limits.attachmentBytes));
  const left = limits.uploadedBytes - held.bytes;
  if (left < Math.max(announced ?? 0, leastBytes)) throw refuse<'uploadFile'>(tooMuch(limits.uploadedBytes));
  return Math.min(limits.attachmentBytes, left);
}

export function assertMayOpen(limits: Limits, open: number): void {
  if (open < limits.openUploads) return;
  const message = `You have ${open} unfinished uploads; ${limits.openUploads} are allowed`;
  throw new UploadFault('TOO_MANY_UPLOADS', message);
}

export const tooLarge = (limitBytes: number): Refusal<'ATTACHMENT_TOO_LARGE'> =>
  new Refusal('ATTACHMENT_TOO_LARGE', `The file is larger than ${limitBytes} bytes`, { limitBytes }, [
    'file',
  ]);

const tooMuch = (limitBytes: number): Refusal<'ATTACHMENT_TOO_LARGE'> =>
  new Refusal(
    'ATTACHMENT_TOO_LARGE',
    `What you have uploaded and not attached yet would be more than ${limitBytes} bytes together`,
    { limitBytes },
    ['file'],
  );

/** The refusal for an upload that exceeds the room that `roomFor` returned. */
export const beyondRoom = ({ limits }: TicketServices, room: number): Refusal<'ATTACHMENT_TOO_LARGE'> =>
  room < limits.attachmentBytes ? tooMuch(limits.uploadedBytes) : tooLarge(limits.attachmentBytes);
