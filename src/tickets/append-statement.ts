import { type SQL, sql } from 'drizzle-orm';
import type { Db } from '../db/database.ts';
import type { AnsweredRow } from './appended-row.ts';
import { input, judged, ticketColumns, wanted } from './judge-statement.ts';
import { awaitsScan } from './ledger.ts';

/*
 * The command's writes as one data-modifying statement: one round trip and one commit for a whole group of messages.
 *
 * All parts of such a statement see one snapshot, so only two things are trusted to be fresh: rows locked here, which
 * PostgreSQL re-reads after a wait, and conflicts on a unique key. Locks are taken in one order everywhere (tickets by id, then
 * keys), which rules out deadlocks among groups. Every row gets an answer: an identifier, or the reason that it was left out. A ticket
 * that somebody else holds is such a reason, so that its neighbours in the group do not wait for it.
 */

/** Rows that somebody else holds are left out, or waited for. */
const locked = (waits: boolean): SQL => sql`
  select ${ticketColumns} from tickets t where t.id = any (array(select id from wanted))
  order by t.id for no key update ${sql.raw(waits ? '' : 'skip locked')}`;

/** The rules that need the locked row. Columns are named from here on: each costs every later step something before its first row. */
const decided: SQL = sql`
  select j.n, j."viewerId", j.operator, j.body, j.format, j.visibility, j.mobile, j.key, j.fingerprint, j.files,
    j.mail, j.quote, j.token, j."autoSubmitted", j."dueAt", j."cancelIf", j.copies, j."copyKeys",
    j.ticket_id, j.ticket_reference, j.subject, j.status, j.requester_id, j.ticket_created_at, j.last_message_id, j.last_public_message_id,
    j.message_count, j.public_message_count, j.last_event_number, j.last_public_event_number,
    j.to_name, j.to_address, j.mailbox_id, j.from_address, j.from_name, j.signature, j.max_mail_bytes,
    coalesce(j.no, case
      when j."ifLast" is null and j.expect is null then null
      when row_number() over (partition by j.ticket_id order by j.n) > 1 then 'LATER'
      when j."ifLast" < case when j.operator then j.last_message_id else j.last_public_message_id end then 'TICKET_CHANGED'
      when (e.subject, e."fromName", e.signature, e."toAddress", e."toName", e."lastPublicMessageId") is distinct from
        (mail_subject(j.subject, j.ticket_reference), j.from_name, j.signature, j.to_address, j.to_name, coalesce(j.last_public_message_id, 0))
        and j.expect is not null then 'PREVIEW_STALE'
    end) as verdict
  from judged j
  left join lateral json_to_record(j.expect)
    as e (subject text, "fromName" text, signature text, "toAddress" text, "toName" text, "lastPublicMessageId" int) on true`;

/** Identifiers are drawn under the ticket's lock, so that they increase within it in commit order. */
const numbered: SQL = sql`
  select d.n, d."viewerId", d.body, d.format, d.visibility, d.mobile, d.key, d.fingerprint, d.files,
    d.mail, d.quote, d.token, d."autoSubmitted", d."dueAt", d."cancelIf", d.copies, d."copyKeys", d.ticket_id, d.ticket_reference, d.subject,
    d.message_count, d.public_message_count, d.last_event_number, d.last_public_event_number,
    d.to_name, d.to_address, d.mailbox_id, d.from_address, d.from_name, d.signature,
    nextval('messages_id_seq')::int as message_id, case when d.mail then nextval('deliveries_id_seq')::int end as delivery_id,
    clock_timestamp() as at
  from (select * from decided where verdict is null order by ticket_id, n offset 0) d`;

const takenKeys: SQL = sql`
  insert into idempotency_keys (user_id, key, fingerprint, message_id)
  select "viewerId", key, sha256(convert_to(ticket_id || ':' || fingerprint, 'UTF8')), message_id
  from numbered where key is not null order by "viewerId", key
  on conflict do nothing
  returning message_id`;

/**
 * What is written, whole: all that follows inserts from here, so that nothing inserted has to be read back and joined. A copy to the
 * address that is in To would be a second mail to the same person.
 */
const accepted: SQL = sql`
  select n.n, n."viewerId", n.body, n.format, n.visibility, n.mobile, n.files, n.mail, n.quote, n."autoSubmitted", n."dueAt", n."cancelIf", n.ticket_id,
    n.to_name, n.to_address, n.mailbox_id, n.from_address, n.from_name, n.signature, n.message_id, n.delivery_id, n.at,
    n.last_event_number + row_number() over ticket as event_number,
    case when n.visibility = 'PUBLIC' then n.last_public_event_number + count(*) filter (where n.visibility = 'PUBLIC') over ticket end as public_number,
    n.last_public_event_number + count(*) filter (where n.visibility = 'PUBLIC') over ticket as public_cursor,
    n.message_count + row_number() over ticket as new_count,
    n.public_message_count + count(*) filter (where n.visibility = 'PUBLIC') over ticket as new_public_count,
    case when n.mail then mail_subject(n.subject, n.ticket_reference) end as mail_subject,
    n.token as rfc_message_id,
    case when n.copies is null or address_key(n.to_address) <> all (n."copyKeys") then n.copies else (
      select json_agg(c.value order by c.place) from json_array_elements(n.copies) with ordinality as c (value, place)
      where n."copyKeys"[c.place] <> address_key(n.to_address)) end as kept_copies
  from numbered n
  where n.key is null or n.message_id in (select message_id from taken_keys)
  window ticket as (partition by n.ticket_id order by n.message_id)`;

const newMessages: SQL = sql`
  insert into messages (id, ticket_id, author_id, body, format, visibility, is_mobile_device, created_at)
  select message_id, ticket_id, "viewerId", body, format, visibility, mobile, at from accepted`;

const files: SQL = sql`
  select a.message_id, nextval('attachments_id_seq')::int as id, f.*
  from accepted a
  cross join lateral json_to_recordset(a.files) as f (position int, blob text, fresh bool, size int, sha256 text, name text, type text, upload uuid, scan text,
    "contentId" text, inline bool)
  where a.files is not null`;

/** One part of a request may be several attachments. */
const newBlobs: SQL = sql`
  insert into blobs (key, byte_size, sha256) select blob, size, decode(sha256, 'hex') from files where fresh
  on conflict (key) do nothing`;

const newAttachments: SQL = sql`
  insert into attachments (id, message_id, position, blob_key, file_name, content_type, byte_size, sha256, upload_id, scan, scan_due_at, content_id, is_inline)
  select id, message_id, position, blob, name, type, size, decode(sha256, 'hex'), upload, scan, case when scan is not null then clock_timestamp() end,
    "contentId", inline
  from files`;

const newDeliveries: SQL = sql`
  insert into deliveries (id, message_id, ticket_id, mailbox_id, from_address, from_name, subject, signature, quote, rfc_message_id, auto_submitted, state, due_at, cancel_if,
    awaits_scan, failure)
  select delivery_id, message_id, ticket_id, mailbox_id, from_address, from_name, mail_subject, signature, quote, rfc_message_id, coalesce("autoSubmitted", false),
    case when "dueAt" is null then 'QUEUED' else 'HELD' end,
    coalesce(to_timestamp("dueAt" / 1000), at),
    coalesce("cancelIf", '{}'),
    -- Files of one message are scanned all or none.
    files->0->>'scan' is not null, case when files->0->>'scan' is not null then ${sql.raw(`'${awaitsScan}'`)} end
  from accepted where mail`;

const newRecipients: SQL = sql`
  insert into delivery_recipients (delivery_id, position, kind, address, name)
  select a.delivery_id, r.position, r.kind, r.address, r.name
  from accepted a
  cross join lateral (
    select 1 as position, 'TO' as kind, a.to_address as address, a.to_name as name
    union all
    select 1 + c.place, c.value->>'kind', c.value->>'address', '' from json_array_elements(a.kept_copies) with ordinality as c (value, place)
  ) r
  where a.mail`;

const newEvents: SQL = sql`
  insert into events (ticket_id, number, public_number, type, visibility, actor_id, message_id, delivery_id, created_at)
  select ticket_id, event_number, public_number, 'MESSAGE_ADDED', visibility, "viewerId", message_id, delivery_id, at from accepted`;

const touched: SQL = sql`
  update tickets t set
    last_message_id = s.last_message_id,
    last_public_message_id = coalesce(s.last_public_message_id, t.last_public_message_id),
    message_count = s.message_count,
    public_message_count = s.public_message_count,
    last_event_number = s.last_event_number,
    last_public_event_number = s.last_public_event_number
  from (
    select ticket_id, max(message_id) as last_message_id, max(message_id) filter (where visibility = 'PUBLIC') as last_public_message_id,
      max(new_count) as message_count, max(new_public_count) as public_message_count,
      max(event_number) as last_event_number, max(public_cursor) as last_public_event_number
    from accepted group by ticket_id
  ) s
  where t.id = s.ticket_id`;

/** One wake-up a group: NOTIFY takes a lock of the whole cluster at commit. */
const woken: SQL = sql`
  select pg_notify('ticketwire_events', (select string_agg(distinct ticket_id::text, ',') from accepted)) as a,
    case when exists (select from accepted where mail) then pg_notify('ticketwire_outbox', '') end as b,
    case when exists (select from files where scan is not null) then pg_notify('ticketwire_scans', '') end as c
  where exists (select from accepted)`;

/** All rows as one value: columns cost the driver and the mapper more. Instants travel as milliseconds since 1970. */
const answered: SQL = sql`
  select json_agg(json_build_array(
      case when d.verdict is null and a.message_id is null then 'KEY_TAKEN' else d.verdict end,
      d.ticket_id, d.ticket_reference, d.subject, d.status, d.requester_id,
      (extract(epoch from d.ticket_created_at) * 1000)::float8,
      case when d.operator then coalesce(a.new_count, d.message_count) else coalesce(a.new_public_count, d.public_message_count) end,
      case when d.operator then d.last_message_id else d.last_public_message_id end,
      a.message_id, (extract(epoch from date_trunc('milliseconds', a.at)) * 1000)::float8,
      case when d.operator then a.event_number else a.public_cursor end,
      case when d.files is not null then (select json_agg(f.id order by f.position) from files f where f.message_id = a.message_id) end,
      a.delivery_id, a.mail_subject, d.from_name, d.from_address, d.to_address, d.to_name, a.rfc_message_id, a.kept_copies,
      d.mailbox_id, d.max_mail_bytes
    ) order by d.n) as rows,
    -- Nobody reads it: PostgreSQL leaves out what nothing asks for, and nobody would be woken.
    (select count(*) from woken) as woken
  from decided d
  left join accepted a on a.n = d.n`;

/**
 * The statement, prepared: once a connection.
 * @param waits for tickets that somebody else holds, as long as the connection waits for locks
 */
export function prepareAppend(db: Db, { waits = false } = {}) {
  const step = (name: string, query: SQL) => db.$with(name, {}).as(query);
  return db
    .with(
      step('input', input),
      step('wanted', wanted),
      step('locked', locked(waits)),
      step('judged', judged),
      step('decided', decided),
      step('numbered', numbered),
      step('taken_keys', takenKeys),
      step('accepted', accepted),
      step('new_messages', newMessages),
      step('files', files),
      step('new_blobs', newBlobs),
      step('new_attachments', newAttachments),
      step('new_deliveries', newDeliveries),
      step('new_recipients', newRecipients),
      step('new_events', newEvents),
      step('touched', touched),
      step('woken', woken),
      step('answered', answered),
    )
    .select({ rows: sql<AnsweredRow[]>`rows`, woken: sql<string>`woken` })
    .from(sql`answered`)
    .prepare(waits ? 'append_messages_waiting' : 'append_messages');
}
