import { and, eq, isNull } from 'drizzle-orm';
import { attachments, messages } from '../../db/tables.ts';
import { Refusal } from '../../platform/errors.ts';
import type { TicketContext } from '../context.ts';
import { refuse } from '../refusals-by-command.ts';
import { lockTicket } from '../transaction.ts';
import { eraseFiles } from './erase-files.ts';
import { recordRedaction } from './record-redaction.ts';
import { type Redacted, runRedaction } from './run-redaction.ts';

/** Input of `redactAttachment`. */
export interface RedactAttachmentInput {
  /** The number, not the global id. */
  readonly attachmentId: number;
  /** Recorded in the audit trail for good. Up to 1,000 characters. */
  readonly reason?: string | null | undefined;
}

/**
 * Redacts one file of a message, for good. The text and the other files stay. Mails that carry the file or
 * may quote the message are withdrawn as in `redactMessage`, because a quotation repeats the pictures of its
 * text: the message's own mail is cancelled unless sending of its body has begun. A second call changes
 * nothing, and `alreadyRedacted` is true.
 * @throws Refusal UNAUTHENTICATED; FORBIDDEN for requesters and without the scope `admin`; INVALID_INPUT for
 *   the reason; ATTACHMENT_NOT_FOUND
 * @throws Unavailable as `inTransaction`
 */
export async function redactAttachment(ctx: TicketContext, input: RedactAttachmentInput): Promise<Redacted> {
  const { attachmentId } = input;
  return runRedaction(ctx, input.reason, async (tx, actorId) => {
    const [found] = await tx
      .select({ messageId: messages.id, ticketId: messages.ticketId, visibility: messages.visibility })
      .from(attachments)
      .innerJoin(messages, eq(messages.id, attachments.messageId))
      .where(eq(attachments.id, attachmentId))
      .prepare('find_attachment_to_redact')
      .execute();
    if (found === undefined)
      throw refuse<'redactAttachment'>(
        new Refusal('ATTACHMENT_NOT_FOUND', 'There is no such attachment', undefined, ['attachment']),
      );
    const { visibility, ...place } = found;
    const target = { actorId, ...place };
    await lockTicket(tx, target.ticketId);
    const [file] = await tx
      .select({ id: attachments.id })
      .from(attachments)
      .where(and(eq(attachments.id, attachmentId), isNull(attachments.redactedAt)))
      .prepare('find_file_to_redact')
      .execute();
    if (file === undefined) return { ...target, changed: false, blobKeys: [] };
    const blobKeys = await eraseFiles(tx, [attachmentId]);
    await recordRedaction(tx, target, {
      action: 'ATTACHMENT_REDACTED',
      details: { reason: input.reason ?? null, attachmentId },
      visibility,
    });
    return { ...target, changed: true, blobKeys };
  });
}
