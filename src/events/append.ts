import type postgres from 'postgres';
import type { EventType, Visibility } from '../vocabulary.ts';

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

/** Something that happened in a ticket; a public one is numbered for its requester as well. */
export interface NewEvent {
  readonly type: EventType;
  readonly visibility: Visibility;
  readonly actorId: number | null;
  readonly messageId: number | null;
  readonly deliveryId: number | null;
}

/**
 * Appends events of one ticket, in their order, and wakes its watchers when the transaction commits.
 * @param tx must hold the lock of the ticket's row, so that the numbers read here are the last ones
 */
export async function appendEvents(
  tx: postgres.Sql,
  ticketId: number,
  happened: readonly NewEvent[],
): Promise<void> {
  await tx`
    with input as (
      select * from json_to_recordset(${JSON.stringify(happened.map((event, n) => ({ n, ...event })))}::text::json) as i (
        n int, type text, visibility text, "actorId" int, "messageId" int, "deliveryId" int)
    ), numbered as (
      select i.*, t.last_event_number + row_number() over upto as number,
        t.last_public_event_number + count(*) filter (where i.visibility = 'PUBLIC') over upto as public_number
      from input i join tickets t on t.id = ${ticketId} window upto as (order by i.n)
    ), new_events as (
      insert into events (ticket_id, number, public_number, type, visibility, actor_id, message_id, delivery_id, created_at)
      select ${ticketId}, number, case when visibility = 'PUBLIC' then public_number end, type, visibility, "actorId", "messageId", "deliveryId",
        clock_timestamp() from numbered
    ), counted as (
      update tickets t set last_event_number = n.last, last_public_event_number = n.last_public
      from (select max(number) as last, max(public_number) as last_public from numbered having count(*) > 0) n where t.id = ${ticketId}
    )
    select pg_notify(${eventsChannel}, ${String(ticketId)}) where exists (select from numbered)`;
}
