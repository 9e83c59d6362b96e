import { type SQL, sql } from 'drizzle-orm';
import type { Db } from '../../../db/database.ts';
import { membersOf, recordColumns } from '../../../db/json-record.ts';
import { preparePerPool } from '../../../db/prepare-per-pool.ts';
import { literal, reading } from '../../../db/statement-parts.ts';
import { mailboxes, mailboxGrants, tickets, users } from '../../../db/tables.ts';
import { ownKeyPattern } from '../../../mail/address.ts';
import { type MessageRow, rowColumns } from '../columns.ts';

/* Resolves rows and checks them, as steps of a statement. The append statement and the dry run share them. */

/** Why the append statement did not write a row. */
export type RowVerdict =
  | RuleVerdict
  | 'TICKET_CHANGED'
  | 'PREVIEW_STALE'
  /** Another transaction holds the ticket's row. */
  | 'LOCKED'
  /** Another message of the group goes first, and this row has a condition: retry in a later group. */
  | 'LATER'
  /** The idempotency key is taken by a committed message, or by another row of the group. */
  | 'KEY_TAKEN';
/** Verdicts by rules that need the database but no lock, in the order in which they take precedence. */
export type RuleVerdict =
  | 'TICKET_NOT_FOUND'
  | 'MAILBOX_NOT_FOUND'
  | 'MAILBOX_NOT_READY'
  | 'RECIPIENT_MISSING'
  /** The mail may be too large: its exact size is needed. */
  | 'MAIL_SIZE'
  /** A copy may go to the To address: the caller compares them by `addressKey`, and asks again. */
  | 'COMPARE_COPIES';

const given = membersOf('given', rowColumns);
/** Step that reads the rows of the statement's JSON parameter `rows`. `n` is a row's number, from 1. */
export const input = reading(
  'input',
  { n: sql`given.ordinality`, ...given, referenceKey: sql`lower(${given.reference})` },
  sql`from rows from (json_to_recordset(${sql.placeholder('rows')}::json) as ${recordColumns(rowColumns)})
    with ordinality as given`,
);
const asked = input.columns;

const visible = (which: SQL): SQL => sql`
  select ${tickets.id} from ${tickets}
  where ${which} and (${asked.isOperator} or ${tickets.requesterId} = ${asked.viewerId})`;
/**
 * Step with the ticket that each row names by id or reference. A row is missing from this step if there is no
 * such ticket, or the row's viewer may not see the ticket.
 */
export const wanted = reading(
  'wanted',
  { n: asked.n, ticketId: sql`named.${sql.identifier(tickets.id.name)}` },
  sql`from ${input} cross join lateral (
    ${visible(sql`${tickets.id} = ${asked.ticketId}`)}
    union all ${visible(sql`${tickets.referenceKey} = ${asked.referenceKey}`)}
  ) named`,
);

/**
 * Creates the step `found` with the columns of the tickets of `wanted`.
 * @param locking the locking clause; none by default
 */
export const foundTickets = (locking: SQL = sql``) =>
  reading(
    'found',
    {
      ticketId: tickets.id,
      reference: tickets.reference,
      subject: tickets.subject,
      status: tickets.status,
      requesterId: tickets.requesterId,
      ticketCreatedAt: tickets.createdAt,
      lastMessageId: tickets.lastMessageId,
      lastPublicMessageId: tickets.lastPublicMessageId,
      messageCount: tickets.messageCount,
      publicMessageCount: tickets.publicMessageCount,
      lastEventNumber: tickets.lastEventNumber,
      lastPublicEventNumber: tickets.lastPublicEventNumber,
    },
    sql`from ${tickets} where ${tickets.id} = any (array(select ${wanted.columns.ticketId} from ${wanted}))
      ${locking}`,
  );
const unlocked = foundTickets();
const found = unlocked.columns;

const maxMailBytes = sql`
  least(${mailboxes.maxMailBytes}, coalesce(${mailboxes.serverMaxMailBytes}, ${mailboxes.maxMailBytes}))`;
const sends = sql`(${mailboxes.smtpUrl} is not null or ${sql.placeholder('sendsByDefault')}::bool)`;
const isTooLarge = sql`
  ${asked.mailBytes} + octet_length(${mailboxes.signature}) * ${asked.signatureFactor} > ${maxMailBytes}`;

const ownKey = literal(ownKeyPattern);
/**
 * Only `addressKey` decides when two addresses are one recipient. SQL compares only addresses that are their
 * own key. For any other To address the answer is "maybe".
 */
const mayRepeatTo = sql`
  ${asked.copies} is not null and ${asked.copiesExcept} is distinct from ${users.email}
    and (${users.email} !~ ${ownKey} or ${users.email} = any (${asked.copyKeys}))`;

/**
 * Step that applies the rules that need the database. `verdict` is the first rule that refuses the row,
 * LOCKED if the row's ticket is not in `found`, or null. The other columns are those of its ticket, mailbox
 * and requester.
 */
export const checked = reading(
  'checked',
  {
    ...found,
    n: asked.n,
    isOperator: asked.isOperator,
    ifLastMessage: asked.ifLastMessage,
    expect: asked.expect,
    ticketId: wanted.columns.ticketId,
    toName: users.name,
    toAddress: users.email,
    mailboxId: mailboxes.id,
    fromAddress: mailboxes.address,
    fromName: mailboxes.displayName,
    signature: mailboxes.signature,
    maxMailBytes,
    verdict: sql`case
      when ${wanted.columns.ticketId} is null then 'TICKET_NOT_FOUND'
      when ${found.ticketId} is null then 'LOCKED'
      when ${asked.from} is null then null
      when ${mailboxes.id} is null then 'MAILBOX_NOT_FOUND'
      when ${mailboxes.disabledAt} is not null or not ${sends} then 'MAILBOX_NOT_READY'
      when coalesce(${users.email}, '') = '' then 'RECIPIENT_MISSING'
      when ${isTooLarge} then 'MAIL_SIZE'
      when ${mayRepeatTo} then 'COMPARE_COPIES'
    end`,
  },
  sql`from ${input}
    left join ${wanted} on ${wanted.columns.n} = ${asked.n}
    left join ${unlocked} on ${found.ticketId} = ${wanted.columns.ticketId}
    left join ${users} on ${users.id} = ${found.requesterId}
    left join (${mailboxes} join ${mailboxGrants} on ${mailboxGrants.mailboxId} = ${mailboxes.id})
      on lower(${mailboxes.address}) = lower(${asked.from}) and ${mailboxGrants.userId} = ${asked.viewerId}`,
);

/**
 * SQL for the subject of a ticket's mails. The database function `mail_subject` has the rule, for every
 * caller.
 */
export const mailSubject = (of: { readonly subject: SQL; readonly reference: SQL }): SQL =>
  sql`mail_subject(${of.subject}, ${of.reference})`;

/**
 * Prepares a statement with the same rules, without a lock or a write. It returns the first refusal, or the
 * values that the mail would be made of.
 */
const prepareDryRun = preparePerPool((db: Db) => {
  const { columns } = checked;
  return db
    .with(input.subquery, wanted.subquery, unlocked.subquery, checked.subquery)
    .select({
      verdict: sql<RuleVerdict | null>`${columns.verdict}`,
      ticketId: sql<number | null>`${columns.ticketId}`,
      mailSubject: sql<string | null>`${mailSubject(columns)}`,
      fromName: sql<string | null>`${columns.fromName}`,
      fromAddress: sql<string | null>`${columns.fromAddress}`,
      toAddress: sql<string | null>`${columns.toAddress}`,
      toName: sql<string | null>`${columns.toName}`,
      signature: sql<string | null>`${columns.signature}`,
      lastPublicMessageId: sql<number | null>`${columns.lastPublicMessageId}`,
      maxMailBytes: sql<number | null>`${columns.maxMailBytes}`,
    })
    .from(sql`${checked}`)
    .prepare('judge_message');
});

/**
 * Applies the rules that need no lock to one row, against the current state, without a lock or a write.
 * Rejects with the database's error.
 */
export type DryRun = (row: MessageRow) => Promise<DryRunAnswer>;
/**
 * Result of a dry run. `verdict` is the first rule that refuses the row; when it is null and the row has an
 * e-mail, the other members are what the mail would be made of.
 */
export type DryRunAnswer = Awaited<ReturnType<ReturnType<typeof prepareDryRun>['execute']>>[number];

/** Creates the dry run. @param sendsByDefault whether a mailbox without SMTP settings of its own can send */
export function createDryRun(db: Db, sendsByDefault: boolean): DryRun {
  return async (row) => {
    const [answer] = await prepareDryRun(db).execute({ rows: JSON.stringify([row]), sendsByDefault });
    return answer!;
  };
}
