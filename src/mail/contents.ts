import type postgres from 'postgres';
import type { RecipientKind, RecipientState } from '../vocabulary.ts';
import { envelopeAddress, needsSmtpUtf8 } from './address.ts';
import { composeMail, sourceOctets } from './compose.ts';
import {
  attachmentPart,
  type Conversation,
  type ConversationRow,
  conversationOf,
  conversationValue,
  type StoredFile,
  storedFiles,
} from './conversation.ts';
import { type MailedMessage, mailedColumns, mailedOf, type Person } from './parts.ts';
import type { MailSource } from './source.ts';
import type { SendingMailbox } from './transport.ts';

export interface DeliveryRecipient {
  readonly position: number;
  readonly kind: RecipientKind;
  readonly address: string;
  readonly name: string;
  readonly state: RecipientState;
  /** What was last said about them. */
  readonly reply: string | null;
}

/** Everything that the worker needs of one delivery. */
export interface DeliveryContents extends MailedMessage {
  readonly id: number;
  readonly rfcMessageId: string;
  readonly fromAddress: string;
  readonly fromName: string;
  readonly subject: string;
  readonly signature: string;
  readonly giveUpAt: Date;
  /** The message, or one of its files: what is left is not what its author sent. */
  readonly redacted: boolean;
  /** A file of the message in which a scanner found something, and what; null: none. */
  readonly infected: string | null;
  readonly recipients: readonly DeliveryRecipient[];
  readonly attachments: readonly StoredFile[];
  readonly autoSubmitted: boolean;
  readonly conversation: Conversation;
  readonly mailbox: SendingMailbox;
  /** What its server last said it takes, octets. */
  readonly serverMaxMailBytes: number | null;
  /** What an earlier attempt sent, or was going to. */
  readonly source: MailSource | undefined;
}

interface Row extends Omit<DeliveryContents, 'mailbox' | 'source' | 'conversation'> {
  mailboxId: number;
  mailboxAddress: string;
  smtpUrl: string | null;
  smtpPassword: Uint8Array | null;
  disabled: boolean;
  conversation: ConversationRow;
  skeleton: Buffer | null;
  inserts: MailSource['inserts'] | null;
}

const mailed = Object.entries(mailedColumns)
  .map(([key, { name }]) => `m.${name} as "${key}"`)
  .join(', ');

export async function loadContents(
  sql: postgres.Sql,
  ids: readonly number[],
): Promise<Map<number, DeliveryContents>> {
  const rows = await sql<Row[]>`
    select d.id, d.rfc_message_id as "rfcMessageId", d.from_address as "fromAddress", d.from_name as "fromName", d.subject, d.signature,
      d.auto_submitted as "autoSubmitted",
      d.give_up_at as "giveUpAt", ${sql.unsafe(mailed)},
      m.redacted_at is not null or exists (select from attachments a where a.message_id = m.id and a.redacted_at is not null) as redacted,
      (select a.file_name || ' (' || a.scan_found || ')' from attachments a where a.message_id = m.id and a.scan = 'INFECTED' order by a.position limit 1) as infected,
      (select json_agg(json_build_object('position', r.position, 'kind', r.kind, 'address', r.address, 'name', r.name, 'state', r.state, 'reply', r.smtp_reply) order by r.position)
        from delivery_recipients r where r.delivery_id = d.id) as recipients,
      ${storedFiles(sql, sql`m.id`)} as attachments,
      (select ${conversationValue(sql)} from (select d.ticket_id, d.quote, d.message_id) c) as conversation,
      b.id as "mailboxId", b.address as "mailboxAddress", b.smtp_url as "smtpUrl", b.smtp_password as "smtpPassword", b.disabled_at is not null as disabled, b.server_max_mail_bytes as "serverMaxMailBytes",
      s.skeleton, s.inserts
    from deliveries d
    join messages m on m.id = d.message_id
    join mailboxes b on b.id = d.mailbox_id
    left join delivery_sources s on s.delivery_id = d.id
    where d.id = any (${ids}::int[])`;
  return new Map(rows.map((row) => [row.id, contentsOf(row)]));
}

function contentsOf({
  mailboxId,
  mailboxAddress,
  smtpUrl,
  smtpPassword,
  disabled,
  conversation,
  skeleton,
  inserts,
  ...row
}: Row): DeliveryContents {
  return {
    ...row,
    conversation: conversationOf(conversation),
    mailbox: { id: mailboxId, address: mailboxAddress, smtpUrl, smtpPassword, disabled },
    source: skeleton === null ? undefined : { skeleton, inserts: inserts ?? [] },
  };
}

export interface PreparedMail {
  readonly source: MailSource;
  readonly byteSize: number;
  readonly hasUtf8Headers: boolean;
}

/** The mail itself: what an earlier attempt kept, or else made now. */
export async function prepareMail(contents: DeliveryContents, now: Date): Promise<PreparedMail> {
  const { source } = contents;
  if (source !== undefined) {
    const named = contents.recipients.filter(({ kind }) => kind !== 'BCC');
    return {
      source,
      byteSize: sourceOctets(source),
      hasUtf8Headers: [contents.fromAddress, ...named.map(({ address }) => address)].some(needsSmtpUtf8),
    };
  }
  const people = (kind: RecipientKind): Person[] => contents.recipients.filter((one) => one.kind === kind);
  return composeMail({
    ...contents.conversation,
    messageId: contents.rfcMessageId,
    date: now,
    from: { name: contents.fromName, address: contents.fromAddress },
    to: people('TO'),
    cc: people('CC'),
    bcc: people('BCC'),
    subject: contents.subject,
    ...mailedOf(contents),
    signature: contents.signature,
    autoSubmitted: contents.autoSubmitted,
    attachments: contents.attachments.map(attachmentPart),
  });
}

/** Whom RCPT TO names in this attempt, each address once. */
export function envelopeOf(
  contents: DeliveryContents,
  recipients: readonly { address: string }[],
): { from: string; to: string[] } {
  return {
    from: envelopeAddress(contents.fromAddress),
    to: [...new Set(recipients.map(({ address }) => envelopeAddress(address)))],
  };
}
