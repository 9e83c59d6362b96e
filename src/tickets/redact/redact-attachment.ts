import { and, eq, isNull } from 'drizzle-orm';
import { attachments, messages } from '../../db/tables.ts';
import { Refusal } from '../../platform/errors.ts';
import type { TicketContext } from '../context.ts';
import { refuse } from '../refusals-by-command.ts';
import { lockTicket } from '../transaction.ts';
import { eraseFiles } from './erase-files.ts';
import { record } from './record-redaction.ts';
import { type Redacted, redact } from './run-redaction.ts';

/** Input of `redactAttachment`. */
export interface RedactAttachmentInput {
  readonly attachmentId: number;
  /** Recorded in the audit trail. */
  readonly reason?: string | null | undefined;
}

/**
 * Redacts one file of a message. The text and the other files stay. Mails that carry the file or quote the
 * message are withdrawn as in `redactMessage`, because a quotation repeats the pictures of its text.
 * @throws Refusal UNAUTHENTICATED, FORBIDDEN, INVALID_INPUT, ATTACHMENT_NOT_FOUND
 */
export async function redactAttachment(ctx: TicketContext, input: RedactAttachmentInput): Promise<Redacted> {
  const { attachmentId } = input;
  return redact(ctx, input.reason, async (tx, actorId) => {
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
    await record(tx, target, {
      action: 'ATTACHMENT_REDACTED',
      details: { reason: input.reason ?? null, attachmentId },
      visibility,
    });
    return { ...target, changed: true, blobKeys };
  });
}
