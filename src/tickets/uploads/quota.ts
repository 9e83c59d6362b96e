import type postgres from 'postgres';
import type { Limits } from '../../config.ts';
import { Refusal } from '../../errors.ts';
import { uploadLifetimeHours } from '../../storage/expire.ts';
import type { DeskContext } from '../desk.ts';
import { UploadFault } from './faults.ts';

/** What a user has uploaded and attached to no message yet. */
export interface Held {
  /** Uploads whose bytes are still arriving. */
  readonly open: number;
  /** Bytes that are here or were announced. */
  readonly bytes: number;
}

/** An upload without a byte takes room as well. */
const leastBytes = 64 * 1024;

export async function heldBy(sql: postgres.Sql, userId: number): Promise<Held> {
  const [row] = await sql<{ open: number; bytes: number }[]>`
    select o.open, (o.bytes + d.bytes)::float8 as bytes
    from (
      select count(*)::int as open, coalesce(sum(greatest(byte_size, arrived, ${leastBytes})), 0) as bytes
      from open_uploads where user_id = ${userId}
    ) o, (
      select coalesce(sum(greatest(b.byte_size, ${leastBytes})), 0) as bytes from uploads u join blobs b on b.key = u.blob_key
      where u.user_id = ${userId} and u.created_at > now() - make_interval(hours => ${uploadLifetimeHours})
        and not exists (select from attachments a where a.upload_id = u.id)
    ) d`;
  return row!;
}

/**
 * How large one more upload may be, bytes.
 * @throws Refusal ATTACHMENT_TOO_LARGE when that is less than was announced, or nothing
 */
export function roomFor(limits: Limits, held: Held, announced: number | undefined): number {
  if (announced !== undefined && announced > limits.attachmentBytes) throw tooLarge(limits.attachmentBytes);
  const left = limits.uploadedBytes - held.bytes;
  if (left < Math.max(announced ?? 0, leastBytes)) throw tooMuch(limits.uploadedBytes);
  return Math.min(limits.attachmentBytes, left);
}

export function assertMayOpen(limits: Limits, open: number): void {
  if (open < limits.openUploads) return;
  const message = `You have ${open} uploads on the way; ${limits.openUploads} are allowed at a time`;
  throw new UploadFault('TOO_MANY_UPLOADS', message);
}

export const tooLarge = (limitBytes: number): Refusal =>
  new Refusal('ATTACHMENT_TOO_LARGE', `The file is larger than ${limitBytes} bytes`, { limitBytes }, [
    'file',
  ]);

const tooMuch = (limitBytes: number): Refusal =>
  new Refusal(
    'ATTACHMENT_TOO_LARGE',
    `What you have uploaded and not attached yet would be more than ${limitBytes} bytes together`,
    { limitBytes },
    ['file'],
  );

/** The refusal for bytes that went past the room that `roomFor` found. */
export const beyondRoom = ({ limits }: DeskContext['desk'], room: number): Refusal =>
  room < limits.attachmentBytes ? tooMuch(limits.uploadedBytes) : tooLarge(limits.attachmentBytes);
