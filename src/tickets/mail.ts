import { sql } from 'drizzle-orm';
import { type MailPreview, previewMail } from '../mail/preview.ts';
import { encodedSizeUpperBound } from '../mail/size.ts';
import type { NewFile, NewMessageRow } from './append-statement.ts';
import type { DeskContext } from './desk.ts';
import type { AddTicketMessageInput } from './message-input.ts';

/** Bytes that the mail will not exceed, for the statement to hold against the mailbox's limit without composing anything. */
export function mailBytesUpperBound(
  input: AddTicketMessageInput,
  files: readonly NewFile[],
): { mailBytes: number; signatureFactor: number } {
  const { cc, bcc } = input.email ?? { cc: [], bcc: [] };
  const size = (signatureBytes: number) =>
    encodedSizeUpperBound({
      bodyBytes: Buffer.byteLength(input.body),
      signatureBytes,
      quotedBytes: 0,
      recipients: 1 + cc.length + bcc.length,
      attachments: files.map(({ size }) => ({ byteSize: size })),
    });
  return { mailBytes: size(0), signatureFactor: size(1) - size(0) };
}

/** The mail of a row that nothing refuses, composed as the worker will. */
export async function mailOf(ctx: DeskContext, row: NewMessageRow): Promise<MailPreview> {
  const [judged] = await ctx.desk.judge({
    ...row,
    email: { ...row.email!, mailBytes: 0, signatureFactor: 0 },
  });
  if (judged === undefined || judged.verdict !== null)
    throw new Error(`the mail of a refused message: ${judged?.verdict}`);
  const copies = (kind: 'CC' | 'BCC') =>
    row.email!.copies.filter((copy) => copy.kind === kind).map(({ address }) => ({ name: '', address }));
  return previewMail({
    from: { name: judged.fromName!, address: judged.fromAddress! },
    to: [{ name: judged.toName!, address: judged.toAddress! }],
    cc: copies('CC'),
    bcc: copies('BCC'),
    subject: judged.mailSubject!,
    body: row.body,
    format: row.format,
    signature: judged.signature!,
    quoted: [],
    thread: await threadOf(ctx, judged.ticketId!),
    attachments: row.files.map((file) => ({
      fileName: file.name,
      contentType: file.type,
      byteSize: file.size,
      blobKey: file.blob,
      sha256: Buffer.from(file.sha256, 'hex'),
    })),
  });
}

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
