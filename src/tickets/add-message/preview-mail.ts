import { loadConversation } from '../../mail/compose/conversation.ts';
import { mailedOf } from '../../mail/compose/mail-parts.ts';
import { type MailPreview, previewMail } from '../../mail/compose/preview-mail.ts';
import { asUnavailable } from '../../platform/database-faults.ts';
import type { TicketContext } from '../context.ts';
import type { MailExpectation, MessageRow } from './columns.ts';
import type { DryRunAnswer } from './commit/check-rows.ts';
import { copiesExcept } from './email-input.ts';

/**
 * Composes the mail of a row with an e-mail that a dry run accepted, as the worker would now. A copy to the
 * To address is left out. Nothing is stored or sent, and the mailbox's size limit is not applied.
 * @param answer the dry run's result for the row, whose `verdict` is null
 * @throws Unavailable when the database cannot be read
 */
export async function previewOf(
  ctx: TicketContext,
  row: MessageRow,
  answer: DryRunAnswer,
): Promise<MailPreview> {
  const which = { ticketId: answer.ticketId!, quote: row.quote! };
  const conversation = await loadConversation(ctx.services.database.desk, which).catch((error) => {
    throw asUnavailable(error);
  });
  const beside = copiesExcept(row.copies ?? [], answer.toAddress!);
  const copies = (kind: 'CC' | 'BCC') =>
    beside.filter((copy) => copy.kind === kind).map(({ address }) => ({ name: '', address }));
  return previewMail({
    ...conversation,
    ...mailedOf(row),
    from: { name: answer.fromName!, address: answer.fromAddress! },
    to: [{ name: answer.toName!, address: answer.toAddress! }],
    cc: copies('CC'),
    bcc: copies('BCC'),
    subject: answer.mailSubject!,
    signature: answer.signature!,
    autoSubmitted: row.autoSubmitted ?? false,
    attachments: (row.files ?? []).map((file) => ({
      fileName: file.fileName,
      contentType: file.contentType,
      byteSize: file.byteSize,
      blobKey: file.blobKey!,
      sha256: Buffer.from(file.sha256, 'hex'),
      contentId: file.contentId ?? null,
    })),
  });
}

/**
 * What the previewed mail took from the database, of a dry run that accepted a row with an e-mail. The commit
 * compares it with the current state. So if the subject, mailbox, requester or conversation has changed, the
 * message is refused, and no mail is sent that nobody has previewed.
 */
export const expectationOf = (answer: DryRunAnswer): MailExpectation => ({
  subject: answer.mailSubject!,
  fromName: answer.fromName!,
  signature: answer.signature!,
  toAddress: answer.toAddress!,
  toName: answer.toName!,
  lastPublicMessageId: answer.lastPublicMessageId ?? 0,
});
