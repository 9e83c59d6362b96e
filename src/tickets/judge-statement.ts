import { type SQL, sql } from 'drizzle-orm';
import type { Db } from '../db/database.ts';
import type { Verdict } from './new-message-row.ts';

/* What rows mean and which rules refuse them, as steps of a statement: the command's own, and one that only looks. */

export const input: SQL = sql`
  select r.*, lower(r.reference) as reference_key
  from json_to_recordset(${sql.placeholder('rows')}::json) as r (
    n int, "ticketId" int, reference text, "viewerId" int, operator bool, body text, format text, visibility text, mobile bool,
    "ifLast" int, key text, fingerprint text, files json, mail bool, "mailFrom" text, "mailBytes" bigint, "signatureFactor" int, quote text,
    expect json, token text, "autoSubmitted" bool, "dueAt" float8, "cancelIf" text[], copies json, "copyKeys" text[])`;

/** Which ticket each row means, if its viewer may see it. */
export const wanted: SQL = sql`
  select i.n, t.id
  from input i cross join lateral (
    select a.id, a.requester_id from tickets a where a.id = i."ticketId"
    union all
    select b.id, b.requester_id from tickets b where b.reference_key = i.reference_key
  ) t
  where i.operator or t.requester_id = i."viewerId"`;

export const ticketColumns = sql.raw(
  't.id, t.reference, t.subject, t.status, t.requester_id, t.created_at, t.last_message_id, t.last_public_message_id, t.message_count, t.public_message_count, t.last_event_number, t.last_public_event_number',
);
const unlocked: SQL = sql`select ${ticketColumns} from tickets t where t.id = any (array(select id from wanted))`;

/** The rules that need the database, in the order in which they refuse. */
export const judged: SQL = sql`
  select i.*, w.id as ticket_id, l.reference as ticket_reference, l.subject, l.status, l.requester_id, l.created_at as ticket_created_at,
    l.last_message_id, l.last_public_message_id, l.message_count, l.public_message_count, l.last_event_number, l.last_public_event_number,
    u.name as to_name, u.email as to_address,
    m.id as mailbox_id, m.address as from_address, m.display_name as from_name, m.signature, m.max_mail_bytes,
    case
      when w.id is null then 'TICKET_NOT_FOUND'
      when l.id is null then 'LOCKED'
      when i.mail is null then null
      when m.id is null then 'MAILBOX_NOT_FOUND'
      when m.disabled_at is not null or (m.smtp_url is null and not ${sql.placeholder('sendsByDefault')}::bool) then 'MAILBOX_NOT_READY'
      when coalesce(u.email, '') = '' then 'RECIPIENT_MISSING'
      when i."mailBytes" + octet_length(m.signature) * i."signatureFactor" > m.max_mail_bytes then 'MAIL_SIZE'
    end as no
  from input i
  left join wanted w on w.n = i.n
  left join locked l on l.id = w.id
  left join users u on u.id = l.requester_id
  left join lateral (
    select b.id, b.address, b.display_name, b.signature, b.disabled_at, b.smtp_url,
      least(b.max_mail_bytes, coalesce(b.server_max_mail_bytes, b.max_mail_bytes)) as max_mail_bytes
    from mailboxes b join mailbox_grants g on g.mailbox_id = b.id and g.user_id = i."viewerId"
    where lower(b.address) = lower(i."mailFrom")
  ) m on true`;

/** The same rules without a lock or a write: which refusal would come first, and what the mail would be made of. */
export function prepareJudge(db: Db) {
  const step = (name: string, query: SQL) => db.$with(name, {}).as(query);
  return db
    .with(step('input', input), step('wanted', wanted), step('locked', unlocked), step('judged', judged))
    .select({
      verdict: sql<Exclude<
        Verdict,
        'LOCKED' | 'LATER' | 'TICKET_CHANGED' | 'PREVIEW_STALE' | 'KEY_TAKEN'
      > | null>`no`,
      ticketId: sql<number | null>`ticket_id`,
      reference: sql<string | null>`ticket_reference`,
      subject: sql<string | null>`subject`,
      mailSubject: sql<string | null>`mail_subject(subject, ticket_reference)`,
      fromName: sql<string | null>`from_name`,
      fromAddress: sql<string | null>`from_address`,
      toAddress: sql<string | null>`to_address`,
      toName: sql<string | null>`to_name`,
      signature: sql<string | null>`signature`,
      lastPublicMessageId: sql<number | null>`last_public_message_id`,
      mailboxId: sql<number | null>`mailbox_id`,
      maxMailBytes: sql<number | null>`max_mail_bytes`,
    })
    .from(sql`judged`)
    .orderBy(sql`n`)
    .prepare('judge_messages');
}

export type Judged = Awaited<ReturnType<ReturnType<typeof prepareJudge>['execute']>>[number];
