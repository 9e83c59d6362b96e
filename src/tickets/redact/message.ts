import { and, eq, isNull, sql } from 'drizzle-orm';
import { attachments, messages } from '../../db/tables.ts';
import { Refusal } from '../../platform/errors.ts';
import type { TicketContext } from '../context.ts';
import { refuse } from '../refused-by.ts';
import { lockTicket } from '../transaction.ts';
import { eraseFiles } from './erase-files.ts';
import { record } from './record.ts';
import { type Redacted, redact } from './redact.ts';

export interface RedactMessageInput {
  readonly messageId: number;
  readonly reason?: string | null | undefined;
}

/**
 * Takes back what a message says: its text and its files are gone, its place stays. A mail of it that has not
 * begun to go out is cancelled, and the kept sources of mails that carry or quote it are deleted; what was
 * sent cannot be called back. The one command behind scope `admin`: it destroys what nobody can restore.
 * @throws Refusal UNAUTHENTICATED, FORBIDDEN, INVALID_INPUT, MESSAGE_NOT_FOUND
 */
export async function redactMessage(ctx: TicketContext, input: RedactMessageInput): Promise<Redacted> {
  const { messageId } = input;
  return redact(ctx, input.reason, async (tx, actorId) => {
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
    await record(tx, target, {
      action: 'MESSAGE_REDACTED',
      details: { reason: input.reason ?? null },
      visibility: emptied.visibility,
    });
    return { ...target, changed: true, blobKeys };
  });
}
