import { type SQL, sql } from 'drizzle-orm';
import type { Db } from '../../../db/database.ts';
import { jsonObject, milliseconds, reading } from '../../../db/statement-parts.ts';
import type { TicketStatus } from '../../../platform/vocabulary.ts';
import type { MessageRow } from '../columns.ts';
import {
  accepted,
  acceptedPlain,
  decided,
  decidedPlain,
  locked,
  numbered,
  takenKeys,
} from './accept-rows.ts';
import { checked, input, type RowVerdict, wanted } from './check-rows.ts';
import { file, files, fileWrites, messageWrites } from './insert-rows.ts';
import { ticketWrites, ticketWritesPlain, woken } from './ticket-writes.ts';

/*
 * The command's writes as one data-modifying statement: one round trip and one commit for a group of
 * messages.
 *
 * All parts of such a statement see one snapshot, so only two things are current: rows locked here, which
 * PostgreSQL re-reads after a wait, and conflicts on a unique key. Locks are always taken in the same order
 * (tickets by id, then keys), so groups cannot deadlock. Every row gets an answer: an id, or the reason why
 * it was left out. A locked ticket is such a reason, so that the other rows of the group do not wait.
 */

const row = accepted.columns;
const settled = decided.columns;

/** The statement's result for one row. Instants are milliseconds since 1970. */
export type RowAnswer = AppendedAnswer | LeftOutAnswer;

/**
 * The result for a row that was not written: why (`verdict`), and the values that its caller needs to try
 * again, each null if it was not found.
 */
export type LeftOutAnswer = { readonly verdict: RowVerdict } & {
  readonly [K in 'ticketId' | 'toAddress' | 'maxMailBytes']: AppendedAnswer[K] | null;
};

/**
 * The result for a row that was written. Without files, `attachmentIds` is null. Without an e-mail, all from
 * `deliveryId` on is null, but for `toName` and `toAddress`: they are the requester's, if there is an
 * address.
 */
export interface AppendedAnswer {
  readonly verdict: null;
  readonly ticketId: number;
  readonly reference: string;
  readonly subject: string;
  readonly status: TicketStatus;
  readonly requesterId: number;
  readonly ticketCreatedAt: number;
  /** Number of the ticket's messages that the viewer may see, this one included. */
  readonly messageCount: number;
  readonly messageId: number;
  readonly createdAt: number;
  /** Number of this message's event for the viewer: the cursor from which to watch the ticket. */
  readonly cursor: number;
  /** In the order of the files' positions. */
  readonly attachmentIds: readonly number[] | null;
  readonly deliveryId: number | null;
  readonly mailSubject: string | null;
  readonly fromName: string | null;
  readonly fromAddress: string | null;
  readonly toAddress: string | null;
  readonly toName: string | null;
  readonly maxMailBytes: number | null;
}

type OfMail = 'deliveryId' | 'mailSubject' | 'fromName' | 'fromAddress' | 'toAddress' | 'toName';
/** The result for a row that was written with an e-mail. */
export type MailedAnswer = AppendedAnswer & {
  readonly [K in OfMail]: NonNullable<AppendedAnswer[K]>;
};

const forOperators = (all: SQL, visible: SQL): SQL =>
  sql`case when ${settled.isOperator} then ${all} else ${visible} end`;

const plainAnswer = {
  verdict: sql`case
    when ${settled.verdict} is null and ${row.messageId} is null then 'KEY_TAKEN'
    else ${settled.verdict} end`,
  ticketId: settled.ticketId,
  reference: settled.reference,
  subject: settled.subject,
  status: sql`coalesce(${row.status}, ${settled.status})`,
  requesterId: settled.requesterId,
  ticketCreatedAt: milliseconds(settled.ticketCreatedAt),
  messageCount: forOperators(row.newCount, row.newPublicCount),
  messageId: row.messageId,
  createdAt: milliseconds(row.at),
  cursor: forOperators(row.eventNumber, row.publicCursor),
  attachmentIds: sql`null`,
  deliveryId: row.deliveryId,
  mailSubject: row.mailSubject,
  fromName: settled.fromName,
  fromAddress: settled.fromAddress,
  toAddress: settled.toAddress,
  toName: settled.toName,
  maxMailBytes: settled.maxMailBytes,
} satisfies Record<keyof AppendedAnswer, SQL>;
const answer = {
  ...plainAnswer,
  attachmentIds: sql`case when ${row.files} is not null then (
    select json_agg(${file.id} order by ${file.position}) from ${files}
    where ${file.messageId} = ${row.messageId}) end`,
};

/** All rows as one JSON value, which costs the driver and the mapper less than columns. */
const answeredWith = (columns: typeof answer) =>
  reading(
    'answered',
    {
      answers: sql`json_agg(${jsonObject(columns)} order by ${settled.n})`,
      // PostgreSQL does not run a step that nothing selects from, and `pg_notify` has to run.
      woken: sql`(select count(*) from ${woken})`,
    },
    sql`from ${decided} left join ${accepted} on ${row.n} = ${settled.n}`,
  );

const answered = answeredWith(answer);
const answeredPlain = answeredWith(plainAnswer);

/**
 * Whether a queued row is plain: it has no file, no condition and does not ask to reopen its ticket. Most
 * rows are.
 */
export const isPlain = ({ row: { files, ifLastMessage, expect, reopen } }: { row: MessageRow }): boolean =>
  files === undefined && ifLastMessage === undefined && expect === undefined && reopen === undefined;

/**
 * Makes the statement that writes a group of messages, as a Drizzle prepared query. PostgreSQL prepares it
 * once per connection. A row that it refuses is left out, and the others are written. An error writes none.
 * @param options `rows`: `any` by default. `plain` is 10 % faster for a single row, but ignores files,
 *   conditions and `reopen`, so every row must satisfy `isPlain`. `waits`: false by default, so that rows of
 *   locked tickets get the verdict LOCKED. True: it waits for the locks, and fails as a whole after the
 *   connection's `lock_timeout`
 * @returns `execute` takes `rows`, the JSON of an array of `MessageRow`, and `sendsByDefault`, whether a
 *   mailbox without SMTP settings of its own can send. It resolves to one row, whose `answers` are in the
 *   order of the input
 */
export function prepareAppend(db: Db, { rows = 'any' as 'any' | 'plain', waits = false } = {}) {
  const accepting =
    rows === 'plain'
      ? [decidedPlain, numbered, takenKeys, acceptedPlain]
      : [decided, numbered, takenKeys, accepted];
  const writing =
    rows === 'plain'
      ? [...messageWrites, ...ticketWritesPlain, answeredPlain]
      : [...messageWrites, ...fileWrites, ...ticketWrites, answered];
  const steps = [input, wanted, locked(waits), checked, ...accepting, ...writing];
  return db
    .with(...steps.map(({ subquery }) => subquery))
    .select({
      answers: sql<RowAnswer[]>`${answered.columns.answers}`,
      woken: sql<string>`${answered.columns.woken}`,
    })
    .from(sql`${answered}`)
    .prepare(`append_${rows}_messages${waits ? '_waiting' : ''}`);
}
