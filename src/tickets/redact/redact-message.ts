import { and, eq, isNull, sql } from 'drizzle-orm';
import { attachments, messages } from '../../db/tables.ts';
import { Refusal } from '../../platform/errors.ts';
import type { TicketContext } from '../context.ts';
import { refuse } from '../refusals-by-command.ts';
import { lockTicket } from '../transaction.ts';
import { eraseFiles } from './erase-files.ts';
import { recordRedaction } from './record-redaction.ts';
import { type Redacted, runRedaction } from './run-redaction.ts';

/** Input of `redactMessage`. */
export interface RedactMessageInput {
  /** The number, not the global id. */
  readonly messageId: number;
  /** Recorded in the audit trail for good. Up to 1,000 characters. */
  readonly reason?: string | null | undefined;
}

/**
 * Redacts a message: erases its text and files, and keeps its place. Its mail is cancelled unless sending of
 * its body has begun. Waiting mails that may quote it are sent without it. The stored raw mails that carry or
 * may quote it are deleted. Sent mails cannot be recalled. It needs the scope `admin` because it cannot be
 * undone. A second call changes nothing, and `alreadyRedacted` is true.
 * @throws Refusal UNAUTHENTICATED; FORBIDDEN for requesters and without the scope `admin`; INVALID_INPUT for
 *   the reason; MESSAGE_NOT_FOUND
 * @throws Unavailable as `inTransaction`
 */
export async function redactMessage(ctx: TicketContext, input: RedactMessageInput): Promise<Redacted> {
  const { messageId } = input;
  return runRedaction(ctx, input.reason, async (tx, actorId) => {
    const [found] = await tx
      .select({ ticketId: messages.ticketId })
      .from(messages)
      .where(eq(messages.id, messageId))
      .prepare('find_message_to_redact')
      .execute();
    if (found === undefined)
      throw refuse<'redactMessage'>(
        new Refusal('MESSAGE_NOT_FOUND', 'There is no such message', undefined, ['message']),
      );
    const target = { actorId, ticketId: found.ticketId, messageId };
    await lockTicket(tx, target.ticketId);
    const [emptied] = await tx
      .update(messages)
      .set({ body: '', redactedAt: sql`clock_timestamp()` })
      .where(and(eq(messages.id, messageId), isNull(messages.redactedAt)))
      .returning({ visibility: messages.visibility })
      .prepare('empty_message')
      .execute();
    if (emptied === undefined) return { ...target, changed: false, blobKeys: [] };
    const files = await tx
      .select({ id: attachments.id })
      .from(attachments)
      .where(and(eq(attachments.messageId, messageId), isNull(attachments.redactedAt)))
      .prepare('find_files_to_redact')
      .execute();
    const blobKeys = await eraseFiles(
      tx,
      files.map(({ id }) => id),
    );
    await recordRedaction(tx, target, {
      action: 'MESSAGE_REDACTED',
      details: { reason: input.reason ?? null },
      visibility: emptied.visibility,
    });
    return { ...target, changed: true, blobKeys };
  });
}
