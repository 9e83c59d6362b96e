import { and, eq, inArray } from 'drizzle-orm';
import { attachments, messages, tickets } from '../../db/tables.ts';
import type { ScanState } from '../../platform/vocabulary.ts';
import type { TicketContext } from '../context.ts';
import { requireViewer } from '../policy.ts';
import { visibleMessages } from './messages.ts';

/** A file of a message; seen by whoever may see the message. */
export interface Attachment {
  readonly id: number;
  readonly messageId: number;
  readonly position: number;
  readonly fileName: string;
  readonly contentType: string;
  readonly byteSize: number;
  /** Empty once redacted. */
  readonly sha256: Buffer;
  /** What the message's HTML may name it by. */
  readonly contentId: string | null;
  /** Whether the message's HTML shows it. */
  readonly isInline: boolean;
  /** Null once redacted. */
  readonly blobKey: string | null;
  /** Null: nobody scans files here, or nobody did when it came. */
  readonly scan: ScanState | null;
  /** Undefined: not asked for, as a page of messages does not. */
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

/** The visible attachments of several messages, in their order. */
export async function listAttachments(
  ctx: TicketContext,
  messageIds: readonly number[],
): Promise<Map<number, Attachment[]>> {
  const rows = await select(ctx, inArray(attachments.messageId, [...messageIds]));
  const byMessage = new Map<number, Attachment[]>(messageIds.map((id) => [id, []]));
  for (const row of rows) byMessage.get(row.messageId)?.push(row);
  return byMessage;
}

/** Visible attachments by id; the others are missing from the answer. */
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
      .innerJoin(tickets, eq(tickets.id, messages.ticketId))
      .where(and(which, visibleMessages(viewer)))
      .orderBy(attachments.messageId, attachments.position),
  );
}
