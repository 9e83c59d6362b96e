import type postgres from 'postgres';

/** Where live readers listen; the payload names the tickets: `47,48`. */
export const eventsChannel = 'ticketwire_events';

/**
 * The steps of a data-modifying statement that append what happened to deliveries: private events, numbered per ticket under its
 * row's lock, gapless and in commit order, and one wake-up for all of them.
 *
 * The statement has two steps before: `locked_tickets` (id, last_event_number), read with the rows locked in the order of their ids,
 * and `happened` (ticket_id, delivery_id, message_id, type, actor_id). It must mention `woken` in its last part, or nobody is woken.
 */
export const appendDeliveryEvents = (sql: postgres.Sql): postgres.PendingQuery<postgres.Row[]> => sql`
  numbered as (
    select h.*, t.last_event_number + row_number() over (partition by h.ticket_id order by h.delivery_id) as number
    from happened h join locked_tickets t on t.id = h.ticket_id
  ), new_events as (
    insert into events (ticket_id, number, type, visibility, actor_id, message_id, delivery_id, created_at)
    select ticket_id, number, type, 'PRIVATE', actor_id, message_id, delivery_id, clock_timestamp() from numbered
  ), counted as (
    update tickets t set last_event_number = n.last
    from (select ticket_id, max(number)::int as last from numbered group by ticket_id) n
    where t.id = n.ticket_id
  ), woken as (
    select pg_notify(${eventsChannel}, (select string_agg(distinct ticket_id::text, ',') from numbered))
    where exists (select from numbered)
  )`;
