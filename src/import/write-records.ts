import { type SQL, sql } from 'drizzle-orm';
import type { Db, Tx } from '../db/database.ts';
import { lockTickets, passedMessages } from './message-order.ts';
import { type DeskRecord, type DeskRecordOf, type RecordType, recordTypes } from './record.ts';

/**
 * Arbitrary. Only one import writes at a time, so that a missing row is not about to be inserted by another.
 */
const importLock = 7_407_470_002;

/*
 * Each statement takes rows as JSON. Ids are those of the old desk; messages get the counters and events
 * that the command would have given them.
 */

const insertUsers = (rows: string): SQL => sql`
  insert into users (id, login, name, email, role, password_hash, disabled_at, created_at)
  select i.id, i.login, i.name, i.email, i.role, i."passwordHash", i."disabledAt",
    coalesce(i."createdAt", now())
  from json_to_recordset(${rows}::json) as i (id int, login text, name text, email text, role text,
    "passwordHash" text, "disabledAt" timestamptz, "createdAt" timestamptz)`;

const insertMailboxes = (rows: string): SQL => sql`
  with input as (
    select * from json_to_recordset(${rows}::json) as i (id int, address text, "displayName" text,
      signature text, "smtpUrl" text, "maxMailBytes" int, "ratePerMinute" int, operators json,
      "disabledAt" timestamptz, "createdAt" timestamptz)
  ), inserted as (
    insert into mailboxes (id, address, display_name, signature, smtp_url, max_mail_bytes, rate_per_minute,
      disabled_at, created_at)
    select id, address, "displayName", coalesce(signature, ''), "smtpUrl", coalesce("maxMailBytes", 26214400),
      "ratePerMinute", "disabledAt", coalesce("createdAt", now())
    from input
    returning id
  ), granted as (
    insert into mailbox_grants (mailbox_id, user_id)
    select distinct i.id, o.value::int from input i join inserted n on n.id = i.id
    cross join lateral json_array_elements_text(i.operators) as o (value)
  )
  select`;

const insertTickets = (rows: string): SQL => sql`
  insert into tickets (id, reference, subject, status, requester_id, original_message_id, created_at,
    active_at, public_active_at, listed_at, public_listed_at)
  select i.id, i.reference, i.subject, coalesce(i.status, 'OPEN'), i."requesterId", i."originalMessageId",
    opened.at, opened.at, opened.at, opened.at, opened.at
  from json_to_recordset(${rows}::json) as i (id int, reference text, subject text, status text,
    "requesterId" int, "originalMessageId" text, "createdAt" timestamptz)
  cross join lateral (select coalesce(i."createdAt", now()) as at) opened`;

/** Locks tickets in the order of their ids, like every writer; counters are read under the lock. */
const insertMessages = (rows: string): SQL => sql`
  with input as (
    select i.id, i."ticketId" as ticket_id, i."authorId" as author_id, i.body,
      coalesce(i.format, 'TEXT') as format, i.visibility, coalesce(i."isMobileDevice", false) as mobile,
      coalesce(i."createdAt", now()) as created_at
    from json_to_recordset(${rows}::json) as i (id int, "ticketId" int, "authorId" int, body text,
      format text, visibility text, "isMobileDevice" bool, "createdAt" timestamptz)
  ), locked as (
    select t.* from tickets t where t.id = any (array(select ticket_id from input))
    order by t.id for no key update
  ), numbered as (
    select i.*, l.last_event_number + row_number() over ticket as number,
      l.last_public_event_number
        + count(*) filter (where i.visibility = 'PUBLIC') over ticket as public_number
    from input i join locked l on l.id = i.ticket_id
    window ticket as (partition by i.ticket_id order by i.id)
  ), inserted as (
    insert into messages (id, ticket_id, author_id, body, format, visibility, is_mobile_device, created_at)
    select id, ticket_id, author_id, body, format, visibility, mobile, created_at from numbered
  ), announced as (
    insert into events (ticket_id, number, public_number, type, visibility, actor_id, message_id, created_at)
    select ticket_id, number, case when visibility = 'PUBLIC' then public_number end, 'MESSAGE_ADDED',
      visibility, author_id, id, created_at
    from numbered
  ), touched as (
    update tickets t set
      last_message_id = greatest(t.last_message_id, s.last_id),
      last_public_message_id = greatest(t.last_public_message_id, s.last_public_id),
      message_count = t.message_count + s.messages,
      public_message_count = t.public_message_count + s.public_messages,
      last_event_number = s.number,
      last_public_event_number = s.public_number,
      active_at = s.last_at,
      listed_at = s.last_at,
      is_listed_by_minute = false,
      public_active_at = coalesce(s.last_public_at, t.public_active_at),
      public_listed_at = coalesce(s.last_public_at, t.public_listed_at),
      is_public_listed_by_minute = t.is_public_listed_by_minute and s.last_public_at is null
    from (
      select ticket_id, max(id) as last_id, (array_agg(created_at order by id desc))[1] as last_at,
        (array_agg(created_at order by id desc) filter (where visibility = 'PUBLIC'))[1] as last_public_at,
        max(id) filter (where visibility = 'PUBLIC') as last_public_id,
        count(*) as messages, count(*) filter (where visibility = 'PUBLIC') as public_messages,
        max(number) as number, max(public_number) as public_number
      from numbered group by ticket_id
    ) s
    where t.id = s.ticket_id
  )
  select`;

/** Writes the words of messages. `fill_message_search` may be beyond their ids. */
const noteWords = (ids: readonly number[]): SQL => sql`
  select note_message_words(array(
    select value::int from json_array_elements_text(${JSON.stringify(ids)}::json)))`;

const insert = {
  user: insertUsers,
  mailbox: insertMailboxes,
  ticket: insertTickets,
  message: insertMessages,
} as const satisfies Record<RecordType, (rows: string) => SQL>;
const tables = { user: 'users', mailbox: 'mailboxes', ticket: 'tickets', message: 'messages' } as const;

/** A number for each type of line. */
export type Counts = Record<RecordType, number>;
/** Zero for each type. */
export const noCounts = (): Counts => ({ user: 0, mailbox: 0, ticket: 0, message: 0 });

/**
 * Finds existing ids. `= any (array(…))` uses the index. For a join or `in`, PostgreSQL would prefer to read
 * the whole table, and each batch would be slower than the one before.
 */
async function idsThere(db: Db | Tx, type: RecordType, ids: readonly number[]): Promise<ReadonlySet<number>> {
  const rows = await db.execute<{ id: number }>(sql`
    select id from ${sql.raw(tables[type])}
    where id = any (array(select value::int from json_array_elements_text(${JSON.stringify(ids)}::json)))`);
  return new Set(rows.map(({ id }) => id));
}

/**
 * A message was written to a ticket during the import, and a message of the file would precede it. The text
 * of the error names both.
 */
export class TicketWentOn extends Error {
  override readonly name = 'TicketWentOn';
}

async function assertLast(tx: Tx, messages: readonly DeskRecordOf<'message'>[]): Promise<void> {
  await lockTickets(tx, messages);
  const passed = await passedMessages(tx, messages);
  const late = messages.find(({ id }) => passed.has(id));
  if (late !== undefined)
    throw new TicketWentOn(
      `message ${late.id} would precede message ${passed.get(late.id)}, ` +
        `which was written to ticket ${late.ticketId} meanwhile`,
    );
}

/**
 * Inserts the rows whose id does not exist yet. Existing rows are left alone, even if the line differs.
 * Messages get their tickets' counters, events and words for the search, but no mail. Until the transaction
 * ends, other imports wait, and the tickets of new messages are locked. The records have to be valid and
 * checked: a conflict with another row rejects with the database's error.
 * @returns the number of new rows of each type
 * @throws TicketWentOn when a ticket has a later message than one of the new ones
 */
export async function writeRecords(tx: Tx, records: readonly DeskRecord[]): Promise<Counts> {
  const counts = noCounts();
  await tx.execute(sql`select pg_advisory_xact_lock(${importLock})`);
  for (const type of recordTypes) {
    const all = records.filter((record) => record.type === type);
    if (all.length === 0) continue;
    const there = await idsThere(
      tx,
      type,
      all.map(({ id }) => id),
    );
    const rows = all.filter(({ id }) => !there.has(id));
    if (rows.length === 0) continue;
    if (type === 'message') await assertLast(tx, rows as DeskRecordOf<'message'>[]);
    await tx.execute(insert[type](JSON.stringify(rows)));
    if (type === 'message') await tx.execute(noteWords(rows.map(({ id }) => id)));
    counts[type] = rows.length;
  }
  return counts;
}

/**
 * Advances the sequences of ids up to these ids, so that no id of the import is drawn again; a type with 0
 * stays as it is. `nextval` is called instead of `setval`, because a running gateway draws from them too, and
 * setting could move one back.
 * @param highest the highest id of each type
 */
export async function reserveIds(db: Db | Tx, highest: Counts): Promise<void> {
  for (const type of recordTypes) {
    const sequence = `${tables[type]}_id_seq`;
    await db.execute(sql`
      select count(nextval(${sequence}::regclass)) from pg_sequences q
      cross join lateral generate_series(coalesce(q.last_value, 0) + 1, ${highest[type]}::bigint)
      where q.schemaname = 'public' and q.sequencename = ${sequence}`);
  }
}
