import { type SQL, type SQLWrapper, sql } from 'drizzle-orm';
import { insertFrom } from '../../../db/insert-from.ts';
import { membersOf, recordColumns } from '../../../db/json-record.ts';
import { pick, reading, writingAndReturning } from '../../../db/statement-parts.ts';
import { idempotencyKeys, tickets } from '../../../db/tables.ts';
import { authoredOf, expectedColumns } from '../columns.ts';
import { checked, foundTickets, input, mailSubject } from './check-rows.ts';

/*
 * Steps of the append statement: check the rules that need the ticket's lock, and make the rows to write. A
 * step with two forms has the same name and columns in both. The form for plain rows leaves out what only
 * other rows need, which is 10 % faster for a single row.
 */

const asked = input.columns;
const ruled = checked.columns;

/**
 * Creates the step `found`, which locks the named tickets in the order of their ids and has their columns.
 * @param waits whether to wait for a ticket that another transaction holds; if false, that ticket is left out
 */
export const locked = (waits: boolean) =>
  foundTickets(sql`order by ${tickets.id} for no key update ${sql.raw(waits ? '' : 'skip locked')}`);

/** What is now, of each member of `expectedColumns`. */
const current = {
  subject: mailSubject(ruled),
  fromName: ruled.fromName,
  signature: ruled.signature,
  toAddress: ruled.toAddress,
  toName: ruled.toName,
  lastPublicMessageId: sql`coalesce(${ruled.lastPublicMessageId}, 0)`,
} satisfies Record<keyof typeof expectedColumns, SQLWrapper>;
const expected = membersOf('expected', expectedColumns);
const isStale = sql`(${list(expected)}) is distinct from (${list(current)})`;
/** The members in the order of `expectedColumns`. */
function list(members: Record<keyof typeof expectedColumns, SQLWrapper>): SQL {
  return sql.join(
    Object.keys(expectedColumns).map((name) => sql`${members[name as keyof typeof expectedColumns]}`),
    sql`, `,
  );
}
const lastVisible = sql`
  case when ${ruled.isOperator} then ${ruled.lastMessageId} else ${ruled.lastPublicMessageId} end`;

const { ifLastMessage, expect, ...kept } = ruled;
/** The step `decided` for plain rows, which have no condition: the verdicts of `checked` are final. */
export const decidedPlain = reading('decided', kept, sql`from ${checked}`);
/**
 * Step that adds the verdicts that depend on the ticket's last message and therefore need its lock:
 * TICKET_CHANGED, PREVIEW_STALE, and LATER for a row whose condition holds now, but that another row of its
 * ticket precedes. A null verdict accepts the row.
 */
export const decided = reading(
  'decided',
  {
    ...kept,
    verdict: sql`coalesce(${ruled.verdict}, case
      when ${ifLastMessage} is null and ${expect} is null then null
      when ${ifLastMessage} < ${lastVisible} then 'TICKET_CHANGED'
      when ${expect} is not null and ${isStale} then 'PREVIEW_STALE'
      when row_number() over (partition by ${ruled.ticketId} order by ${ruled.n}) > 1 then 'LATER'
    end)`,
  },
  sql`from ${checked}
    left join lateral json_to_record(${expect}) as expected ${recordColumns(expectedColumns)} on true`,
);
const settled = decided.columns;

/** Ids are drawn under the ticket's lock, so that they increase within a ticket in commit order. */
const { verdict, requesterId, ticketCreatedAt, isOperator, maxMailBytes, ...written } = settled;
/**
 * Step with the rows that have no verdict. It draws the ids of their messages and deliveries, and their
 * times, in the order of ticket and input.
 */
export const numbered = reading(
  'numbered',
  {
    ...written,
    messageId: sql`nextval('messages_id_seq')::int`,
    deliveryId: sql`case when ${settled.mailboxId} is not null then nextval('deliveries_id_seq')::int end`,
    at: sql`clock_timestamp()`,
  },
  sql`from (
    select * from ${decided} where ${settled.verdict} is null
    order by ${settled.ticketId}, ${settled.n} offset 0
  ) ${decided}`,
);
const drawn = numbered.columns;

/**
 * SQL for the SHA-256 digest that is stored with an idempotency key, of the ticket's id and the input's
 * fingerprint. It is SQL because a ticket named by its reference gets its id only inside the statement.
 */
export const storedFingerprint = (ticketId: SQLWrapper, fingerprint: SQLWrapper): SQL =>
  sql`sha256(convert_to(${ticketId} || ':' || ${fingerprint}, 'UTF8'))`;

/** Step that claims the idempotency keys. A row whose key exists already claims none and is not written. */
export const takenKeys = writingAndReturning(
  'taken_keys',
  sql`${insertFrom(
    idempotencyKeys,
    {
      userId: asked.viewerId,
      key: asked.idempotencyKey,
      fingerprint: storedFingerprint(drawn.ticketId, asked.fingerprint),
      messageId: drawn.messageId,
    },
    sql`${numbered} join ${input} on ${asked.n} = ${drawn.n} where ${asked.idempotencyKey} is not null
      order by ${asked.viewerId}, ${asked.idempotencyKey}`,
  )} on conflict do nothing`,
  { messageId: idempotencyKeys.messageId },
);

/** Of several messages that reopen one ticket, the first does. */
const reopenings = sql`count(*) filter (where ${asked.reopen} and ${drawn.status} = 'CLOSED') over ticket`;
const publicSoFar = sql`count(*) filter (where ${asked.visibility} = 'PUBLIC') over ticket`;

/**
 * Step with the rows to write, joined with their input. All later steps insert from here, so nothing has to
 * be read back. Columns are listed one by one, because each column costs every later step some time before
 * its first row.
 * @param reopened whether the ticket was reopened, as 0 or 1; that event precedes the message's
 * @param reopens whether this row reopens it
 */
const acceptedWith = (reopened: SQL, reopens: SQL) => {
  const publicNumber = sql`${drawn.lastPublicEventNumber} + ${reopened} + ${publicSoFar}`;
  return reading(
    'accepted',
    {
      ...authoredOf(asked),
      ...pick(asked, ['viewerId', 'files', 'quote', 'rfcMessageId', 'autoSubmitted', 'cancelIf', 'dueAt']),
      ...pick(asked, ['copies']),
      ...pick(drawn, ['n', 'ticketId', 'messageId', 'deliveryId', 'at', 'mailboxId', 'fromAddress']),
      ...pick(drawn, ['fromName', 'signature', 'toAddress', 'toName']),
      reopens,
      status: sql`case when ${reopened} = 1 then 'OPEN' else ${drawn.status} end`,
      eventNumber: sql`${drawn.lastEventNumber} + ${reopened} + row_number() over ticket`,
      publicNumber: sql`case when ${asked.visibility} = 'PUBLIC' then ${publicNumber} end`,
      publicCursor: publicNumber,
      newCount: sql`${drawn.messageCount} + row_number() over ticket`,
      newPublicCount: sql`${drawn.publicMessageCount} + ${publicSoFar}`,
      mailSubject: sql`case when ${drawn.deliveryId} is not null then ${mailSubject(drawn)} end`,
    },
    sql`from ${numbered} join ${input} on ${asked.n} = ${drawn.n}
      where ${asked.idempotencyKey} is null
        or ${drawn.messageId} in (select ${takenKeys.columns.messageId} from ${takenKeys})
      window ticket as (partition by ${drawn.ticketId} order by ${drawn.messageId})`,
  );
};

/**
 * The step `accepted` for a group in which no message reopens its ticket: the rows to write with their input,
 * event numbers and new counts.
 */
export const acceptedPlain = acceptedWith(sql`0`, sql`false`);
/** The step `accepted` for any group. A closed ticket is reopened by the first message that asks for it. */
export const accepted = acceptedWith(
  sql`least(${reopenings}, 1)`,
  sql`coalesce(${asked.reopen}, false) and ${drawn.status} = 'CLOSED' and ${reopenings} = 1`,
);
