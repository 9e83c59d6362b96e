import type postgres from 'postgres';
import type { MessageFormat } from '../vocabulary.ts';
import type { AttachmentPart, QuotedMessage } from './parts.ts';

/** Earlier mails of the ticket that References can name at most; the header keeps what fits. */
const threadLength = 40;
/** Octets of earlier messages, as stored, that a mail repeats at most; older ones are named as left out. */
const maxQuotedOctets = 512 * 1024;
/** What a quotation costs beside its text: so that ten thousand messages of one word each have a bound as well. */
const quotationOctets = 128;

/** What a mail repeats of its ticket, and what it answers. */
export interface Conversation {
  /** Message-IDs of the mails before this one that were really sent, oldest first. */
  readonly thread: readonly string[];
  /** Newest first. */
  readonly quoted: readonly QuotedMessage[];
  /** The ticket's last delivery, whether it was sent or not: with another one, the mail may answer another mail. */
  readonly lastMail: number | null;
  /** Messages that were asked for and are left out, as the mail would be too long with them. */
  readonly omitted: number;
}

/** A conversation as the database writes it down. */
export interface ConversationRow {
  readonly original: string | null;
  readonly sent: readonly string[];
  readonly lastMail: number | null;
  readonly omitted: number;
  readonly quoted: readonly {
    readonly author: string;
    readonly at: string;
    readonly body: string;
    readonly format: MessageFormat;
    readonly files: readonly StoredFile[];
  }[];
}

/** A row of `attachments`, as JSON. */
export type StoredFile = Omit<AttachmentPart, 'sha256'> & { readonly sha256: string };

export const attachmentPart = (file: StoredFile): AttachmentPart => ({
  ...file,
  sha256: Buffer.from(file.sha256, 'hex'),
});

export const conversationOf = ({
  original,
  sent,
  lastMail,
  omitted,
  quoted,
}: ConversationRow): Conversation => ({
  thread: [...(original === null ? [] : [original]), ...sent],
  lastMail,
  omitted,
  quoted: quoted.map(({ at, files, ...message }) => ({
    ...message,
    at: new Date(at),
    files: files.map(attachmentPart),
  })),
});

/** The files of a message as JSON, redacted ones left out. @param which more to ask of an attachment `a` */
export const storedFiles = (
  sql: postgres.Sql,
  messageId: postgres.PendingQuery<postgres.Row[]>,
  which = sql`true`,
) => sql`(
  select coalesce(json_agg(json_build_object('fileName', a.file_name, 'contentType', a.content_type, 'byteSize', a.byte_size,
      'blobKey', a.blob_key, 'sha256', encode(a.sha256, 'hex'), 'contentId', a.content_id) order by a.position), '[]')
  from attachments a where a.message_id = ${messageId} and a.redacted_at is null and ${which})`;

/**
 * The one query for what a mail repeats and answers, as a value: for the preview, and for the worker that sends the mail. It reads
 * `c.ticket_id`, `c.quote` and `c.message_id`: the mail's own message, before which it looks; null: it is not written yet.
 */
export const conversationValue = (sql: postgres.Sql) => {
  const before = sql`coalesce(c.message_id, 2147483647)`;
  // What a scanner has not found clean is not sent on.
  const clean = sql`(a.scan is null or a.scan = 'CLEAN')`;
  // Whoever has a mail, or may have it, can be answered below it: not whoever was only going to get it.
  const sent = sql`
    select e.id, e.rfc_message_id from deliveries e
    where e.ticket_id = c.ticket_id and e.message_id < ${before} and exists (
      select from delivery_recipients r where r.delivery_id = e.id and r.state in ('SENT', 'OUTCOME_UNKNOWN'))`;
  return sql`(
    select json_build_object(
      'original', (select t.original_message_id from tickets t where t.id = c.ticket_id),
      'sent', (select coalesce(json_agg(s.rfc_message_id order by s.id), '[]') from (
        (${sent} order by e.id limit 1) union (${sent} order by e.id desc limit ${threadLength}::int)) s),
      'lastMail', (select max(e.id) from deliveries e where e.ticket_id = c.ticket_id and e.message_id < ${before}),
      'omitted', count(*) filter (where q.octets > ${maxQuotedOctets}::int),
      'quoted', coalesce(json_agg(json_build_object('author', u.name, 'at', q.created_at, 'body', q.body, 'format', q.format,
          'files', case when q.format = 'HTML' then ${storedFiles(sql, sql`q.id`, clean)} else '[]' end)
        order by q.id desc) filter (where q.octets <= ${maxQuotedOctets}::int), '[]'))
    from (
      select p.id, p.author_id, p.created_at, p.body, p.format,
        sum(octet_length(p.body) + ${quotationOctets}::int) over (order by p.id desc) as octets
      from messages p
      where c.quote <> 'NONE' and p.ticket_id = c.ticket_id and p.id < ${before} and p.visibility = 'PUBLIC' and p.redacted_at is null
      order by p.id desc limit case c.quote when 'LAST' then 1 end
    ) q join users u on u.id = q.author_id)`;
};

/** What the next mail of a ticket would repeat and answer. */
export async function loadConversation(
  sql: postgres.Sql,
  { ticketId, quote }: { readonly ticketId: number; readonly quote: string },
): Promise<Conversation> {
  const [row] = await sql<{ conversation: ConversationRow }[]>`
    select ${conversationValue(sql)} as conversation
    from (select ${ticketId}::int as ticket_id, ${quote}::text as quote, null::int as message_id) c`;
  return conversationOf(row!.conversation);
}
