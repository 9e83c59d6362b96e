import { type SQL, type SQLWrapper, sql } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import { type ReadTexts, textStatement } from '../../../db/run-statement.ts';
import { attachments, deliveries, deliveryRecipients, messages, tickets, users } from '../../../db/tables.ts';

/*
 * One statement reads tickets, messages and what belongs to them. Rows come in no order. A row's first column
 * has its kind and all values that contain no spaces, because each column costs the driver time, and writing
 * JSON would cost PostgreSQL as much. The other columns are free text. decode-rows.ts reads them.
 */

/** Controls what a statement reads. The values that choose its tickets and messages are separate. */
export interface ConversationReads {
  /**
   * Whether the reader is an operator. If not, counts are of public messages, and no deliveries are read. It
   * does not restrict the tickets and messages that are read: their choice has to.
   */
  readonly operator: boolean;
  /** Limit for the bodies of the page together, in bytes of UTF-8. If it is exceeded, all bodies are null. */
  readonly bodyBytes: number;
  /** Whether the tickets' requesters are read. */
  readonly requesters: boolean;
  /** Whether attachments are read. */
  readonly files: boolean;
  /** Whether deliveries and their recipients are read. */
  readonly mails: boolean;
}

/** SQL of a placeholder for a whole number, which is the value `name` of an execution. */
export const int = (name: string): SQL => sql`${sql.placeholder(name)}::int`;
/** SQL of a placeholder for a boolean. */
export const flag = (name: string): SQL => sql`${sql.placeholder(name)}::bool`;

const instant = (column: PgColumn): SQL => sql`round(date_part('epoch', ${column}) * 1000)::bigint`;
/** `-` stands for null, which `concat_ws` would omit. */
const orNone = (value: SQLWrapper): SQL => sql`coalesce(${value}::text, '-')`;
/** The column for operators, or the one that counts public rows only, for requesters. */
const visible = (all: PgColumn, ofPublic: PgColumn): SQL =>
  sql`case when ${flag('operator')} then ${all} else ${ofPublic} end`;

const list = (parts: readonly SQLWrapper[]): SQL => sql.join([...parts], sql`, `);

/**
 * The columns of `tickets` that a statement reads. They are few, because each node of a plan describes all
 * columns that pass through it, so fewer columns make the plan faster to set up.
 */
export const ticketColumns: SQL = list([
  ...[tickets.id, tickets.requesterId, tickets.status, tickets.createdAt, tickets.reference, tickets.subject],
  ...[tickets.messageCount, tickets.publicMessageCount, tickets.lastMessageId, tickets.lastPublicMessageId],
  ...[tickets.activeAt, tickets.publicActiveAt, tickets.lastEventNumber, tickets.lastPublicEventNumber],
]);

/** The most texts that a kind of row has: of tickets, people and messages, and with files or mails. */
const [fewTexts, mostTexts] = [2, 5];

/** Makes the columns of a kind of row. All kinds in a statement have as many. */
const row =
  (kind: string, words: readonly SQLWrapper[], texts: readonly SQLWrapper[]) =>
  (most: number): SQL => {
    const columns = Array.from({ length: most }, (_, n) => texts[n] ?? sql`null::text`);
    return sql`concat_ws(' ', ${sql.raw(`'${kind}'`)}, ${list(words)}), ${list(columns)}`;
  };

const body = sql`case when (select sum(octet_length(body)) from page) <= ${int('bodyBytes')}
  then ${messages.body} end`;

const ticketRow = row(
  'T',
  [
    ...[tickets.id, tickets.requesterId, tickets.status, instant(tickets.createdAt)],
    visible(tickets.messageCount, tickets.publicMessageCount),
    orNone(visible(tickets.lastMessageId, tickets.lastPublicMessageId)),
    sql`case when ${flag('operator')} then ${instant(tickets.activeAt)}
      else ${instant(tickets.publicActiveAt)} end`,
    visible(tickets.lastEventNumber, tickets.lastPublicEventNumber),
  ],
  [tickets.reference, tickets.subject],
);
const personRow = row('P', [users.id, users.role], [users.name, users.email]);
const messageRow = row(
  'M',
  [
    ...[messages.id, messages.authorId, messages.ticketId, messages.format, messages.visibility],
    ...[messages.isMobileDevice, instant(messages.createdAt), orNone(instant(messages.redactedAt))],
    sql`octet_length(${messages.body})`,
  ],
  [body, messages.language],
);
const fileRow = row(
  'A',
  [
    ...[attachments.messageId, attachments.id, attachments.position, attachments.byteSize],
    ...[attachments.isInline, orNone(attachments.scan)],
  ],
  [
    ...[attachments.fileName, attachments.contentType, attachments.contentId, attachments.blobKey],
    sql`encode(${attachments.sha256}, 'hex')`,
  ],
);
const mailRow = row(
  'D',
  [
    ...[deliveries.id, deliveries.messageId, deliveries.ticketId, deliveries.state],
    ...[
      deliveries.attempts,
      instant(deliveries.dueAt),
      instant(deliveries.createdAt),
      orNone(instant(deliveries.settledAt)),
    ],
  ],
  [
    ...[deliveries.fromAddress, deliveries.fromName, deliveries.subject, deliveries.rfcMessageId],
    deliveries.failure,
  ],
);
const mailColumns = [
  ...[deliveries.id, deliveries.messageId, deliveries.ticketId, deliveries.state, deliveries.attempts],
  ...[deliveries.dueAt, deliveries.createdAt, deliveries.settledAt, deliveries.fromAddress],
  ...[deliveries.fromName, deliveries.subject, deliveries.rfcMessageId, deliveries.failure],
];
const recipientRow = row(
  'R',
  [
    ...[deliveryRecipients.deliveryId, deliveryRecipients.position, deliveryRecipients.kind],
    deliveryRecipients.state,
  ],
  [
    ...[deliveryRecipients.address, deliveryRecipients.name, deliveryRecipients.smtpReply],
    deliveryRecipients.enhancedCode,
  ],
);

/*
 * These parts are omitted unless they are read: PostgreSQL spends time on each part of a plan, even if it
 * then reads nothing.
 */
const filePart = sql`
    union all select ${fileRow(mostTexts)} from ${attachments}
      where ${attachments.messageId} = any (array(select id from page))`;
const mailStep = sql`, mails as (
      select ${list(mailColumns)} from ${deliveries}
      where ${deliveries.messageId} = any (array(select id from page where visibility = 'PUBLIC')))`;
const mailPart = sql`
    union all select ${mailRow(mostTexts)} from mails ${deliveries}
    union all select ${recipientRow(mostTexts)} from ${deliveryRecipients}
      where ${deliveryRecipients.deliveryId} = any (array(select id from mails))`;

function build(chosen: SQL, page: SQL, { files, mails }: Pick<ConversationReads, 'files' | 'mails'>): SQL {
  const most = files || mails ? mostTexts : fewTexts;
  return sql`
    with chosen as (${chosen}), page as (${page})${mails ? mailStep : sql``}
    select ${ticketRow(most)} from chosen ${tickets}
    union all select ${personRow(most)} from ${users}
      where ${users.id} = any (array(select author_id from page
        union all select requester_id from chosen where ${flag('requesters')}))
    union all select ${messageRow(most)} from page ${messages}
    ${files ? filePart : sql``} ${mails ? mailPart : sql``}`;
}

/**
 * Makes the function that reads tickets, messages and what belongs to them in one statement. A variant of the
 * statement is prepared for each combination of `files` and `mails`, when it is first used. `decodeRows`
 * makes objects of its rows.
 * @param chosen selects `ticketColumns` of the tickets
 * @param page selects all columns of rows of `messages`, private ones only if the reader may see them. It may
 *   read the common table `chosen`. The placeholders of `chosen` and `page` are names of `Values`
 */
export function conversationStatement<Values extends ConversationReads>(
  chosen: SQL,
  page: SQL,
): ReadTexts<Values & Record<string, unknown>> {
  const made = new Map<string, ReadTexts<Values & Record<string, unknown>>>();
  return (client, values) => {
    // Requesters see no deliveries.
    const parts = { files: values.files, mails: values.mails && values.operator };
    const name = `${parts.files} ${parts.mails}`;
    const statement = made.get(name) ?? textStatement(build(chosen, page, parts));
    made.set(name, statement);
    return statement(client, values);
  };
}
