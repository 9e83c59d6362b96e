import { type SQL, sql } from 'drizzle-orm';
import { alias } from 'drizzle-orm/pg-core';
import type { Reader } from '../../db/database.ts';
import { preparePerPool } from '../../db/prepare-per-pool.ts';
import { attachments, deliveries, deliveryRecipients, messages, tickets, users } from '../../db/tables.ts';
import type { MessageFormat, Quote } from '../../platform/vocabulary.ts';
import { e, f, r } from '../table-aliases.ts';
import type { AttachmentPart, QuotedMessage } from './mail-parts.ts';

/** Most earlier mails of the ticket for References. The header keeps those that fit. */
const threadLength = 40;
/** Most octets of earlier messages in a mail, as stored. Older messages are counted as omitted. */
const maxQuotedOctets = 512 * 1024;
/** Octets added per quotation, so that thousands of one-word messages are bounded too. */
const quotationOctets = 128;

/** What a mail quotes from its ticket, and what it replies to. */
export interface Conversation {
  /**
   * Message-IDs, oldest first: of the mail from which the ticket was made, if it is known, and of earlier
   * mails that some recipient got or may have got. Of these, only the first one and the last 40 are included.
   */
  readonly thread: readonly string[];
  /** The earlier public messages that the mail quotes, newest first. Redacted ones are left out. */
  readonly quoted: readonly QuotedMessage[];
  /**
   * Id of the ticket's last delivery before this mail, sent or not; null if there is none. When it changes,
   * the mail may reply to another mail.
   */
  readonly lastMail: number | null;
  /**
   * Number of messages that were to be quoted and are left out, because the mail would be too long: those
   * beyond 512 KiB.
   */
  readonly omitted: number;
}

/**
 * A conversation as JSON from the database. `original`: the Message-ID of the mail from which the ticket was
 * made; `sent`: those of earlier mails, oldest first.
 */
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

/** A file of a message as JSON from the database, with its SHA-256 in hexadecimal. */
export type StoredFile = Omit<AttachmentPart, 'sha256'> & { readonly sha256: string };

/** A stored file as a part of a mail. */
export const attachmentPart = (file: StoredFile): AttachmentPart => ({
  ...file,
  sha256: Buffer.from(file.sha256, 'hex'),
});

/** Parses a conversation from the database's JSON. */
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

/**
 * SQL for the files of a message as JSON, a list of `StoredFile` in their order, redacted ones left out.
 * @param which a further condition on the attachment `f`
 */
export const storedFiles = (messageId: SQL, which = sql`true`): SQL => sql`(
  select coalesce(json_agg(json_build_object(
      'fileName', ${f.fileName}, 'contentType', ${f.contentType}, 'byteSize', ${f.byteSize},
      'blobKey', ${f.blobKey}, 'sha256', encode(${f.sha256}, 'hex'), 'contentId', ${f.contentId})
    order by ${f.position}), '[]')
  from ${attachments} f where ${f.messageId} = ${messageId} and ${f.redactedAt} is null and ${which})`;

/** Above every id: for a mail that is not written yet. */
const beforeAny = sql.raw('2147483647');

const earlier = alias(messages, 'p');
const author = alias(users, 'u');

/**
 * Mails before this one. The ids of a ticket's mails increase with those of their messages. The bounds are
 * bare columns, because row-level security keeps PostgreSQL from searching an index for a `coalesce`; without
 * them, each mail would read all that wait behind it.
 */
const isEarlierMail = sql`
  ${e.ticketId} = c.ticket_id and ${e.id} < c.before_delivery and ${e.messageId} < c.before_message`;
/** Only clean files are quoted. */
const isClean = sql`(${f.scan} is null or ${f.scan} = 'CLEAN')`;
/**
 * Mails that some recipient has or may have. References names only these. With `offset`, each mail's
 * recipients are looked up; a join would read all recipients of the desk while most mails wait.
 */
const sent = sql`
  select ${e.id}, ${e.rfcMessageId} as rfc_message_id from ${deliveries} e
  where ${isEarlierMail} and exists (
    select from ${deliveryRecipients} r
    where ${r.deliveryId} = ${e.id} and ${r.state} in ('SENT', 'OUTCOME_UNKNOWN') offset 0)`;

/**
 * SQL for a conversation as JSON (`ConversationRow`), shared by the preview and the worker. It reads
 * `c.ticket_id`, `c.quote`, `c.before_message` and `c.before_delivery`. The last two are the ids of the
 * mail's own message and delivery, or 2147483647 for a mail that is not written yet. Files of a quoted
 * message are included if it is HTML, unless a scan has not found them clean.
 */
export const conversationValue: SQL = sql`(
  select json_build_object(
    'original', (select ${tickets.originalMessageId} from ${tickets} where ${tickets.id} = c.ticket_id),
    'sent', (select coalesce(json_agg(s.rfc_message_id order by s.id), '[]') from (
      (${sent} order by ${e.id} limit 1) union (${sent} order by ${e.id} desc limit ${threadLength}::int)) s),
    'lastMail', (select max(${e.id}) from ${deliveries} e where ${isEarlierMail}),
    'omitted', count(*) filter (where q.octets > ${maxQuotedOctets}::int),
    'quoted', coalesce(json_agg(json_build_object(
        'author', ${author.name}, 'at', q.at, 'body', q.body, 'format', q.format,
        'files', case when q.format = 'HTML' then ${storedFiles(sql`q.id`, isClean)} else '[]' end)
      order by q.id desc) filter (where q.octets <= ${maxQuotedOctets}::int), '[]'))
  from (
    select ${earlier.id}, ${earlier.authorId} as author_id, ${earlier.createdAt} as at,
      ${earlier.body} as body, ${earlier.format} as format,
      sum(octet_length(${earlier.body}) + ${quotationOctets}::int)
        over (order by ${earlier.id} desc) as octets
    from ${messages} p
    where c.quote <> 'NONE' and ${earlier.ticketId} = c.ticket_id and ${earlier.id} < c.before_message
      and ${earlier.visibility} = 'PUBLIC' and ${earlier.redactedAt} is null
    order by ${earlier.id} desc limit case c.quote when 'LAST' then 1 end
  ) q join ${users} u on ${author.id} = q.author_id)`;

const selectConversation = preparePerPool((db) =>
  db
    .select({ conversation: sql<ConversationRow>`${conversationValue}` })
    .from(
      sql`(
        select ${sql.placeholder('ticketId')}::int as ticket_id, ${sql.placeholder('quote')}::text as quote,
          ${beforeAny} as before_message, ${beforeAny} as before_delivery) c`,
    )
    .prepare('load_conversation'),
);

/**
 * Loads what the next mail of a ticket would quote and reply to. What the role of `db` may not see is not in
 * it.
 * @param which `quote`: how many messages are quoted
 */
export async function loadConversation(
  db: Reader,
  which: { readonly ticketId: number; readonly quote: Quote },
): Promise<Conversation> {
  const [row] = await selectConversation(db).execute(which);
  return conversationOf(row!.conversation);
}
