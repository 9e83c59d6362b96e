import type postgres from 'postgres';
import { appendDeliveryEvents } from '../events/append.ts';
import type { Claim } from './outbox.ts';

/* How a delivery comes back from an attempt that did not end: given back, kept by a sign of life, or found without one. */

/** Gives claims back that nothing was begun for: they are as they were. */
export async function release(
  sql: postgres.Sql,
  claims: readonly Pick<Claim, 'id' | 'token'>[],
): Promise<void> {
  await sql`
    with input as (
      select * from unnest(${claims.map((one) => one.id)}::int[], ${claims.map((one) => one.token)}::uuid[]) as i (id, token)
    ), released as (
      update deliveries d set state = 'QUEUED', attempt = null, phase = null, lease_until = null
      from input i where d.id = i.id and d.attempt = i.token and d.phase = 'CONNECT'
      returning d.id
    ), ended as (
      update delivery_attempts a set ended_at = clock_timestamp(), outcome = 'QUEUED', reply = 'given back by a worker that ended'
      from input i join released r on r.id = i.id where a.delivery_id = i.id and a.token = i.token
    )
    select pg_notify('ticketwire_outbox', '') from (select count(*) as n from released) r where r.n > 0`;
}

/** Keeps the leases of attempts that are alive. */
export async function renew(
  sql: postgres.Sql,
  claims: readonly Pick<Claim, 'id' | 'token'>[],
  leaseSeconds: number,
): Promise<void> {
  await sql`
    update deliveries d set lease_until = clock_timestamp() + make_interval(secs => ${leaseSeconds}::float8)
    from (
      select d.id from deliveries d
      join unnest(${claims.map((one) => one.id)}::int[], ${claims.map((one) => one.token)}::uuid[]) as i (id, token) on i.id = d.id and i.token = d.attempt
      where d.state = 'TRANSMITTING' order by d.id for no key update of d
    ) o where d.id = o.id`;
}

export interface Recovered {
  readonly id: number;
  readonly state: 'QUEUED' | 'OUTCOME_UNKNOWN';
}

/**
 * Finds attempts whose worker has died: before BODY the delivery is QUEUED again, at BODY its outcome is unknown. What belongs to a
 * ticket that somebody else holds is left to the next look.
 */
export async function recover(sql: postgres.Sql, now: Date, limit = 500): Promise<Recovered[]> {
  return sql<Recovered[]>`
    with expired as (
      select d.id, d.ticket_id from deliveries d
      where d.state = 'TRANSMITTING' and d.lease_until < clock_timestamp()
      order by d.lease_until limit ${limit}
    ), locked_tickets as (
      select t.id, t.last_event_number from tickets t
      where t.id = any (array(select ticket_id from expired)) order by t.id for no key update skip locked
    ), owned as (
      select d.id, d.ticket_id, d.message_id, d.attempt, d.attempts, d.phase from deliveries d
      where d.id = any (array(select id from expired)) and d.ticket_id in (select id from locked_tickets)
        and d.state = 'TRANSMITTING' and d.lease_until < clock_timestamp()
      order by d.ticket_id, d.id for no key update of d
    ), recovered as (
      update deliveries d
      set state = case when o.phase = 'BODY' then 'OUTCOME_UNKNOWN' else 'QUEUED' end, attempt = null, phase = null, lease_until = null,
        due_at = case when o.phase = 'BODY' then d.due_at else least(d.due_at, ${now}::timestamptz) end,
        failure = case when o.phase = 'BODY' then 'The worker ended while the mail was going out' end,
        settled_at = case when o.phase = 'BODY' then clock_timestamp() end
      from owned o where d.id = o.id
      returning d.id, d.state
    ), answered as (
      update delivery_recipients r
      set state = 'OUTCOME_UNKNOWN', smtp_reply = 'The worker ended while the mail was going out', sent_at = clock_timestamp()
      from owned o where r.delivery_id = o.id and o.phase = 'BODY' and r.state in ('PENDING', 'DEFERRED')
    ), ended as (
      update delivery_attempts a
      set phase = o.phase, ended_at = clock_timestamp(), outcome = case when o.phase = 'BODY' then 'OUTCOME_UNKNOWN' else 'QUEUED' end, reply = 'the worker ended'
      from owned o where a.delivery_id = o.id and a.number = o.attempts
    ), happened as (
      select ticket_id, id as delivery_id, message_id, 'DELIVERY_OUTCOME_UNKNOWN' as type, null::int as actor_id
      from owned where phase = 'BODY'
    ), ${appendDeliveryEvents(sql)}
    select id, state, (select count(*) from woken) as woken from recovered`;
}
