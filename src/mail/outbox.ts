import type postgres from 'postgres';
import { appendDeliveryEvents } from '../events/append.ts';
import { atCapStep, isAtCap } from './pacing.ts';
import type { Settlement } from './settlement.ts';
import type { MailSource } from './source.ts';

/*
 * The ledger of deliveries: one statement and one commit for each step. The deliveries themselves are inserted by the message's own
 * commit. A delivery belongs to one attempt at a time, known by its token; every later step is fenced by it:
 *
 *   QUEUED | HELD | DEFERRED --claim--> TRANSMITTING (CONNECT) --openBody--> TRANSMITTING (BODY) --settle--> SENT | …
 *
 * What is going to be sent is kept between the first two.
 *
 * A lease that runs out before BODY makes the delivery QUEUED again: no byte can have gone out, as the fence stands before the
 * first one. At BODY nobody can know, and no machine may guess. Leases run by the database's clock, everything else by `now`.
 */

export interface Claim {
  readonly id: number;
  readonly token: string;
  /** Attempts so far, this one included. */
  readonly attempts: number;
  readonly mailboxId: number;
}

/** How many mails of one mailbox this worker can take now. */
export interface Lane {
  readonly mailboxId: number;
  readonly free: number;
}

export interface ClaimOptions {
  readonly worker: string;
  readonly now: Date;
  readonly leaseSeconds: number;
  /** Mailboxes that differ from `free`. */
  readonly lanes: readonly Lane[];
  readonly free: number;
  /** Conditional mails that were looked at under their tickets' locks, in this transaction; others are not taken. */
  readonly cleared?: readonly number[];
  /** Mailboxes with a cap for each recipient whose turn was taken, in this transaction; nothing of others is taken. */
  readonly turns?: readonly number[];
}

/** Days that a mail is tried (RFC 5321 §4.5.4.1), from its first attempt. */
export const giveUpAfterDays = 5;

/**
 * Takes what is due: of each mailbox as many as its lane has room for and its rate allows, oldest first, and never a mail whose
 * ticket has an earlier one due or under way by the same mailbox. What awaits a scan of its files is not due; the index of what is
 * due does not hold it, so that it costs nobody anything however long a scanner is away. Any number of workers may ask at once.
 */
export async function claim(sql: postgres.Sql, options: ClaimOptions): Promise<Claim[]> {
  const { worker, now, leaseSeconds, lanes, free, cleared = [], turns = [] } = options;
  const [laneIds, laneRooms] = [lanes.map((lane) => lane.mailboxId), lanes.map((lane) => lane.free)];
  return sql<Claim[]>`
    with ${atCapStep(sql, now)}, lanes as (
      select m.id, m.rate_per_recipient_hour, coalesce(l.free, ${free}::int) as free
      from mailboxes m left join unnest(${laneIds}::int[], ${laneRooms}::int[]) as l (id, free) on l.id = m.id
      where m.rate_per_minute is null and m.rate_per_recipient_hour is null
    ), paced as (
      -- The row's lock makes workers take turns at a mailbox that has a cap; one mail goes at once and what was not sent of the last
      -- second, and only one at a time where each recipient is counted.
      select m.id, m.rate_per_minute, m.rate_per_recipient_hour, m.paced_until,
        least(coalesce(l.free, ${free}::int), m.rate_per_recipient_hour, case when m.rate_per_recipient_hour is not null then 1 end,
          1 + floor(date_part('epoch', least(${now}::timestamptz - m.paced_until, interval '1 second')) * m.rate_per_minute / 60)::int) as free
      from mailboxes m left join unnest(${laneIds}::int[], ${laneRooms}::int[]) as l (id, free) on l.id = m.id
      where (m.rate_per_minute is not null or m.rate_per_recipient_hour is not null)
        and (m.rate_per_minute is null or m.paced_until <= ${now}::timestamptz)
        and (m.rate_per_recipient_hour is null or m.id = any (${turns}::int[])
          and not exists (select from deliveries e where e.mailbox_id = m.id and e.state = 'TRANSMITTING'))
      for no key update of m skip locked
    ), room as (
      select id, rate_per_recipient_hour, free from lanes where free > 0
      union all
      select id, rate_per_recipient_hour, free from paced where free > 0
    ), due as (
      select d.id
      from room m cross join lateral (
        select d.id from deliveries d
        where d.mailbox_id = m.id and d.state in ('QUEUED', 'HELD', 'DEFERRED') and not d.awaits_scan and d.due_at <= ${now}::timestamptz
          and (m.rate_per_recipient_hour is null or not ${isAtCap(sql)})
          and (d.cancel_if = '{}' or d.attempts > 0 or d.id = any (${cleared}::int[]))
          and not exists (
            select from deliveries e
            where e.ticket_id = d.ticket_id and e.id < d.id and e.mailbox_id = d.mailbox_id
              and e.state in ('QUEUED', 'HELD', 'DEFERRED', 'TRANSMITTING') and not e.awaits_scan
              and (e.state = 'TRANSMITTING' or e.due_at <= ${now}::timestamptz)
            -- A limit keeps the planner from reading a mailbox's whole backlog for each mail.
            offset 0)
        order by d.due_at, d.id limit m.free
        for no key update of d skip locked
      ) d
    ), claimed as (
      update deliveries d
      set state = 'TRANSMITTING', attempt = gen_random_uuid(), attempts = d.attempts + 1, phase = 'CONNECT', settled_at = null,
        give_up_at = coalesce(d.give_up_at, ${now}::timestamptz + make_interval(days => ${giveUpAfterDays})),
        lease_until = clock_timestamp() + make_interval(secs => ${leaseSeconds}::float8)
      from due where d.id = due.id
      returning d.id, d.attempt, d.attempts, d.mailbox_id
    ), pace as (
      update mailboxes m
      set paced_until = greatest(p.paced_until, ${now}::timestamptz - interval '1 second') + c.mails * interval '1 minute' / p.rate_per_minute
      from paced p join (select mailbox_id, count(*) as mails from claimed group by mailbox_id) c on c.mailbox_id = p.id
      where m.id = p.id and p.rate_per_minute is not null
    ), logged as (
      insert into delivery_attempts (delivery_id, number, token, worker, started_at)
      select id, attempts, attempt, ${worker}, clock_timestamp() from claimed
    )
    select id, attempt as token, attempts, mailbox_id as "mailboxId" from claimed order by id`;
}

export type Attempt = Pick<Claim, 'id' | 'token'>;

/**
 * Keeps what attempts are going to send, as long as they own their deliveries: a redaction takes that from them, and deletes what is
 * kept. It waits for no disk: the log is written in order, so that the fence's commit, which does wait, makes this one last as well.
 */
export async function keepSources(
  sql: postgres.Sql,
  kept: readonly (Attempt & { source: MailSource })[],
): Promise<void> {
  await sql`
    with input as (
      select * from unnest(
        ${kept.map((one) => one.id)}::int[], ${kept.map((one) => one.token)}::uuid[],
        ${kept.map((one) => one.source.skeleton.toString('base64'))}::text[], ${kept.map((one) => JSON.stringify(one.source.inserts))}::text[]
      ) as i (id, token, skeleton, inserts)
    ), owned as (
      -- A redaction that is under way is waited for, and the other way round.
      select i.* from deliveries d join input i on i.id = d.id and i.token = d.attempt order by d.id for share of d
    ), kept as (
      insert into delivery_sources (delivery_id, skeleton, inserts)
      select id, decode(skeleton, 'base64'), inserts::jsonb from owned
      on conflict (delivery_id) do nothing
    )
    select set_config('synchronous_commit', 'off', true)`;
}

/**
 * The second guarding commit: writes down that bytes may be going out. Resolves to the tokens that still own their delivery; whoever
 * is not among them has been overtaken, or has let its lease run out, and must drop the connection. A connection to a mail server
 * waits for it, so it is as small as can be: no indexed column changes, and the row's new version stays beside the old one.
 */
export async function openBody(sql: postgres.Sql, openings: readonly Attempt[]): Promise<Set<string>> {
  const rows = await sql<{ token: string }[]>`
    update deliveries set phase = 'BODY'
    where id = any (${openings.map((one) => one.id)}::int[]) and attempt = any (${openings.map((one) => one.token)}::uuid[])
      and state = 'TRANSMITTING' and phase <> 'BODY' and lease_until > clock_timestamp()
    returning attempt as token`;
  return new Set(rows.map((row) => row.token));
}

/** What became of settlements, by the delivery's id. */
export interface Settled {
  readonly written: ReadonlySet<number>;
  /** Somebody else holds their tickets: they are to be written later, and nobody else waits for that. */
  readonly locked: ReadonlySet<number>;
}

/**
 * Writes what became of attempts, each with its recipients and its event, in one commit. An attempt that was overtaken leaves its
 * trace in the list of attempts and changes nothing else; one that was only believed dead at BODY brings the truth about it.
 */
export async function settle(sql: postgres.Sql, settlements: readonly Settlement[]): Promise<Settled> {
  // Naming the ids keeps every step on its index, however few rows the planner believes there are.
  const ids = settlements.map(({ id }) => id);
  const rows = await sql<{ id: number; locked: boolean }[]>`
    with input as (
      select * from json_to_recordset(${JSON.stringify(settlements)}::text::json) as i (
        id int, token uuid, state text, event text, phase text, reply text, failure text, "dueAt" timestamptz, "bodyAt" timestamptz, recipients json)
    ), locked_tickets as (
      select t.id, t.last_event_number from tickets t
      where t.id = any (array(select d.ticket_id from deliveries d where d.id = any (${ids}::int[])))
      order by t.id for no key update skip locked
    ), put_off as (
      select d.id from deliveries d where d.id = any (${ids}::int[]) and d.ticket_id not in (select id from locked_tickets)
    ), owned as (
      select d.ticket_id, d.message_id, i.*
      from deliveries d join input i on i.id = d.id
      where d.id = any (${ids}::int[]) and d.ticket_id in (select id from locked_tickets)
        and (d.attempt = i.token
          or (d.state = 'OUTCOME_UNKNOWN' and i.state <> 'OUTCOME_UNKNOWN'
            and i.token = (select a.token from delivery_attempts a where a.delivery_id = d.id and a.number = d.attempts)))
      order by d.ticket_id, d.id for no key update of d
    ), settled as (
      update deliveries d
      set state = o.state, attempt = null, phase = null, lease_until = null, failure = o.failure, due_at = coalesce(o."dueAt", d.due_at),
        settled_at = case when o."dueAt" is null then clock_timestamp() end
      from owned o where d.id = o.id
    ), answered as (
      update delivery_recipients r
      set state = x.state, smtp_reply = x.reply, enhanced_code = x.code,
        sent_at = case when x.state in ('SENT', 'OUTCOME_UNKNOWN') then clock_timestamp() else r.sent_at end
      from owned o cross join lateral json_to_recordset(o.recipients) as x (position int, state text, reply text, code text)
      where r.delivery_id = any (${ids}::int[]) and r.delivery_id = o.id and r.position = x.position
    ), ended as (
      update delivery_attempts a set phase = i.phase, body_at = i."bodyAt", ended_at = clock_timestamp(), outcome = i.state, reply = i.reply
      from input i where a.delivery_id = any (${ids}::int[]) and a.delivery_id = i.id and a.token = i.token
        and i.id not in (select id from put_off)
    ), happened as (
      select ticket_id, id as delivery_id, message_id, event as type, null::int as actor_id from owned
    ), ${appendDeliveryEvents(sql)}
    select id, false as locked, (select count(*) from woken) as woken from owned
    union all
    select id, true, null from put_off`;
  const idsOf = (locked: boolean) => new Set(rows.filter((row) => row.locked === locked).map(({ id }) => id));
  return { written: idsOf(false), locked: idsOf(true) };
}
