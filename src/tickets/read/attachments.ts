import { and, eq, inArray } from 'drizzle-orm';
import { attachments, messages } from '../../db/tables.ts';
import type { ScanState } from '../../platform/vocabulary.ts';
import type { TicketContext } from '../context.ts';
import { requireViewer } from '../permissions.ts';
import { visibleMessages } from './load-messages.ts';

/** A file of a message. Viewers of the message may see it. */
export interface Attachment {
  readonly id: number;
  readonly messageId: number;
  /** Place among the message's attachments, from 1. */
  readonly position: number;
  readonly fileName: string;
  readonly contentType: string;
  readonly byteSize: number;
  /** SHA-256 of the bytes. Empty once redacted. */
  readonly sha256: Buffer;
  /** The Content-ID by which the message's HTML may refer to it. */
  readonly contentId: string | null;
  /** Whether the message's HTML shows it. */
  readonly isInline: boolean;
  /** Key in the blob store. Null once redacted. */
  readonly blobKey: string | null;
  /** State of the virus scan. Null when files were not scanned when it arrived. */
  readonly scan: ScanState | null;
  /** Undefined in a page of messages, which does not select it. */
  readonly redactedAt?: Date | null;
}

const attachmentColumns = {
  id: attachments.id,
  messageId: attachments.messageId,
  position: attachments.position,
  fileName: attachments.fileName,
  contentType: attachments.contentType,
  byteSize: attachments.byteSize,
  sha256: attachments.sha256,
  contentId: attachments.contentId,
  isInline: attachments.isInline,
  blobKey: attachments.blobKey,
  scan: attachments.scan,
  redactedAt: attachments.redactedAt,
};

/**
 * Visible attachments by message id, ordered by position. Each given message has a list, which may be empty.
 * Redacted and infected files are included. No scope is needed.
 * @throws Refusal UNAUTHENTICATED
 */
export async function listAttachments(
  ctx: TicketContext,
  messageIds: readonly number[],
): Promise<Map<number, Attachment[]>> {
  const rows = await select(ctx, inArray(attachments.messageId, [...messageIds]));
  const byMessage = new Map<number, Attachment[]>(messageIds.map((id) => [id, []]));
  for (const row of rows) byMessage.get(row.messageId)?.push(row);
  return byMessage;
}

/**
 * Visible attachments by id. Others are missing from the result. Redacted and infected files are included. No
 * scope is needed.
 * @throws Refusal UNAUTHENTICATED
 */
export async function loadAttachments(
  ctx: TicketContext,
  ids: readonly number[],
): Promise<Map<number, Attachment>> {
  const rows = await select(ctx, inArray(attachments.id, [...ids]));
  return new Map(rows.map((row) => [row.id, row]));
}

async function select(ctx: TicketContext, which: ReturnType<typeof inArray>): Promise<Attachment[]> {
  const viewer = requireViewer(ctx);
  return ctx.services.database.readAs(viewer, (db) =>
    db
      .select(attachmentColumns)
      .from(attachments)
      .innerJoin(messages, eq(messages.id, attachments.messageId))
      .where(and(which, visibleMessages(viewer)))
      .orderBy(attachments.messageId, attachments.position),
  );
}
