import { asUnavailable } from '../database-faults.ts';
import { loadConversation } from '../mail/conversation.ts';
import { type MailPreview, previewMail } from '../mail/preview.ts';
import { encodedSizeUpperBound } from '../mail/size.ts';
import type { DeskContext } from './desk.ts';
import type { Judged } from './judge-statement.ts';
import type { AddTicketMessageInput } from './message-input.ts';
import type { Expected, NewFile, NewMessageRow } from './new-message-row.ts';

/** More than any mailbox takes, so that the mail is measured. */
const unknownBytes = 2 ** 40;

/** Bytes that the mail will not exceed, for the statement to hold against the mailbox's limit without composing anything. */
export function mailBytesUpperBound(
  { body, email }: AddTicketMessageInput,
  files: readonly NewFile[],
): { mailBytes: number; signatureFactor: number } {
  const size = (signatureBytes: number) =>
    encodedSizeUpperBound({
      bodyBytes: Buffer.byteLength(body),
      signatureBytes,
      quotedBytes: 0,
      recipients: 1 + (email?.cc.length ?? 0) + (email?.bcc.length ?? 0),
      attachments: files.map((file) => ({ byteSize: file.size })),
    });
  const quotes = email != null && email.quote !== 'NONE';
  return { mailBytes: quotes ? unknownBytes : size(0), signatureFactor: size(1) - size(0) };
}

/** The mail of a row that nothing refuses, composed as the worker will. */
export async function mailOf(ctx: DeskContext, row: NewMessageRow): Promise<MailPreview> {
  const email = row.email!;
  const [judged] = await ctx.desk.judge({ ...row, email: { ...email, mailBytes: 0, signatureFactor: 0 } });
  if (judged === undefined || judged.verdict !== null)
    throw new Error(`the mail of a refused message: ${judged?.verdict}`);
  const which = { ticketId: judged.ticketId!, quote: email.quote };
  const conversation = await loadConversation(ctx.desk.database.desk, which).catch((error) => {
    throw asUnavailable(error);
  });
  const copies = (kind: 'CC' | 'BCC') =>
    email.copies.filter((copy) => copy.kind === kind).map(({ address }) => ({ name: '', address }));
  return previewMail({
    ...conversation,
    from: { name: judged.fromName!, address: judged.fromAddress! },
    to: [{ name: judged.toName!, address: judged.toAddress! }],
    cc: copies('CC'),
    bcc: copies('BCC'),
    subject: judged.mailSubject!,
    body: row.body,
    format: row.format,
    signature: judged.signature!,
    autoSubmitted: email.autoSubmitted,
    attachments: row.files.map((file) => ({
      fileName: file.name,
      contentType: file.type,
      byteSize: file.size,
      blobKey: file.blob,
      sha256: Buffer.from(file.sha256, 'hex'),
      contentId: file.contentId,
    })),
  });
}

/** What the mail depends on beside its input. */
export const expectationOf = (judged: Judged): Expected => ({
  subject: judged.mailSubject!,
  fromName: judged.fromName!,
  signature: judged.signature!,
  toAddress: judged.toAddress!,
  toName: judged.toName!,
  lastPublicMessageId: judged.lastPublicMessageId ?? 0,
});
