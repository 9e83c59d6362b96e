import { sql } from 'drizzle-orm';
import type { QuotedMessage } from '../mail/parts.ts';
import { type MailPreview, previewMail } from '../mail/preview.ts';
import { encodedSizeUpperBound } from '../mail/size.ts';
import type { MessageFormat, Quote } from '../vocabulary.ts';
import type { DeskContext } from './desk.ts';
import type { Judged } from './judge-statement.ts';
import type { AddTicketMessageInput } from './message-input.ts';
import type { Expected, NewFile, NewMessageRow } from './new-message-row.ts';

/** More than any mailbox takes, so that the mail is measured. */
const unknownBytes = 2 ** 40;
/** As many as the worker repeats for `quote: ALL`. */
const quotedMessages = 50;

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
  const ticketId = judged.ticketId!;
  const [thread, quoted] = await Promise.all([threadOf(ctx, ticketId), quotedOf(ctx, ticketId, email.quote)]);
  const copies = (kind: 'CC' | 'BCC') =>
    email.copies.filter((copy) => copy.kind === kind).map(({ address }) => ({ name: '', address }));
  return previewMail({
    from: { name: judged.fromName!, address: judged.fromAddress! },
    to: [{ name: judged.toName!, address: judged.toAddress! }],
    cc: copies('CC'),
    bcc: copies('BCC'),
    subject: judged.mailSubject!,
    body: row.body,
    format: row.format,
    signature: judged.signature!,
    quoted,
    thread,
    attachments: row.files.map((file) => ({
      fileName: file.name,
      contentType: file.type,
      byteSize: file.size,
      blobKey: file.blob,
      sha256: Buffer.from(file.sha256, 'hex'),
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

/** Message-IDs of the ticket's conversation so far, oldest first. */
async function threadOf(ctx: DeskContext, ticketId: number): Promise<string[]> {
  const rows = await ctx.desk.database.desk.execute<{ id: string }>(sql`
    select id from (
      select 0 as place, original_message_id as id from tickets where id = ${ticketId} and original_message_id is not null
      union all
      (select id, rfc_message_id from deliveries where ticket_id = ${ticketId} order by id limit 1)
      union
      (select id, rfc_message_id from deliveries where ticket_id = ${ticketId} order by id desc limit 40)
    ) t order by place`);
  return rows.map(({ id }) => id);
}

/** The public messages that the mail repeats, newest first. */
async function quotedOf(ctx: DeskContext, ticketId: number, quote: Quote): Promise<QuotedMessage[]> {
  if (quote === 'NONE') return [];
  const rows = await ctx.desk.database.desk.execute<{
    author: string;
    at: string;
    body: string;
    format: MessageFormat;
  }>(sql`
    select u.name as author, m.created_at as at, m.body, m.format
    from messages m join users u on u.id = m.author_id
    where m.ticket_id = ${ticketId} and m.visibility = 'PUBLIC' and m.redacted_at is null
    order by m.id desc limit ${quote === 'LAST' ? 1 : quotedMessages}`);
  return rows.map(({ at, ...message }) => ({ ...message, at: new Date(at) }));
}
