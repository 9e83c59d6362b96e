import type postgres from 'postgres';
import { appendDeliveryEvents } from '../events/append.ts';

/** Conditional mails of a mailbox that are looked at in one transaction. */
const atOnce = 20;

/**
 * Looks at due mails with a `cancelIf`, and cancels those that were answered. The others are claimed in the same transaction: their
 * tickets stay locked, so that no reply can slip in between. Those of tickets that somebody else holds are left to the next look.
 * @returns the mails that were looked at
 */
export async function clearConditional(sql: postgres.Sql, now: Date): Promise<number[]> {
  const due = await sql<{ id: number; ticketId: number }[]>`
    select d.id, d.ticket_id as "ticketId"
    from mailboxes m cross join lateral (
      select id, ticket_id from deliveries
      where mailbox_id = m.id and cancel_if <> '{}' and state in ('QUEUED', 'HELD', 'DEFERRED') and not awaits_scan
        and due_at <= ${now}::timestamptz and attempts = 0
      order by due_at, id limit ${atOnce}
    ) d
    where m.rate_per_minute is null or m.paced_until <= ${now}::timestamptz`;
  if (due.length === 0) return [];
  const tickets = await sql<{ id: number }[]>`
    select id from tickets where id = any (${due.map(({ ticketId }) => ticketId)}::int[])
    order by id for no key update skip locked`;
  const held = new Set(tickets.map(({ id }) => id));
  const ids = due.filter(({ ticketId }) => held.has(ticketId)).map(({ id }) => id);
  if (ids.length === 0) return [];
  await cancelAnswered(sql, ids);
  return ids;
}

/** Cancels those of the deliveries whose conditions hold. The caller holds their tickets' locks; what it sees is committed. */
async function cancelAnswered(sql: postgres.Sql, ids: readonly number[]): Promise<void> {
  await sql`
    with locked_tickets as (
      select t.id, t.last_event_number from tickets t
      where t.id in (select ticket_id from deliveries where id = any (${ids}::int[])) order by t.id for no key update
    ), answered as (
      select d.id, d.ticket_id, d.message_id from deliveries d
      where d.id = any (${ids}::int[]) and d.state in ('QUEUED', 'HELD', 'DEFERRED')
        and exists (
          select from messages m join users u on u.id = m.author_id
          where m.ticket_id = d.ticket_id and m.id > d.message_id and m.visibility = 'PUBLIC'
            and u.role || '_REPLIED' = any (d.cancel_if))
      order by d.id for no key update of d
    ), cancelled as (
      update deliveries d set state = 'CANCELLED', settled_at = clock_timestamp(), failure = 'Not sent: somebody replied first'
      from answered a where d.id = a.id
    ), told as (
      update delivery_recipients r set state = 'CANCELLED' from answered a
      where r.delivery_id = a.id and r.state in ('PENDING', 'DEFERRED')
    ), happened as (
      select ticket_id, id as delivery_id, message_id, 'DELIVERY_CANCELLED' as type, null::int as actor_id from answered
    ), ${appendDeliveryEvents(sql)}
    select (select count(*) from woken) as woken`;
}
