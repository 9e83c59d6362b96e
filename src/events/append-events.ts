import { type SQL, sql } from 'drizzle-orm';
import { assign, insertFrom } from '../db/insert-from.ts';
import { eventsChannel } from '../db/notify-channels.ts';
import { events, tickets } from '../db/tables.ts';
import type { EventType, Visibility } from '../platform/vocabulary.ts';

/**
 * Steps of a data-modifying statement (what follows `with`) that append delivery events: private, numbered
 * per ticket under its row's lock, gapless and in commit order, with one notification for all of them. The
 * statement needs two earlier steps: `locked_tickets` (id, last_event_number), read with the rows locked in
 * the order of their ids, and `happened` (ticket_id, delivery_id, message_id, type, actor_id). Its last part
 * must refer to `woken`, or no notification is sent.
 */
export const appendDeliveryEvents: SQL = sql`
  numbered as (
    select h.*, t.last_event_number
      + row_number() over (partition by h.ticket_id order by h.delivery_id) as number
    from happened h join locked_tickets t on t.id = h.ticket_id
  ), new_events as (
    ${insertFrom(
      events,
      {
        ticketId: sql`ticket_id`,
        number: sql`number`,
        type: sql`type`,
        visibility: sql`'PRIVATE'`,
        actorId: sql`actor_id`,
        messageId: sql`message_id`,
        deliveryId: sql`delivery_id`,
        createdAt: sql`clock_timestamp()`,
      },
      sql`numbered`,
    )}
  ), counted as (
    update ${tickets} set ${assign(tickets, { lastEventNumber: sql`n.last` })}
    from (select ticket_id, max(number)::int as last from numbered group by ticket_id) n
    where ${tickets.id} = n.ticket_id
  ), woken as (
    select pg_notify(${eventsChannel}, (select string_agg(distinct ticket_id::text, ',') from numbered))
    where exists (select from numbered)
  )`;

/** An event to append. A public one gets a number for the requester as well. */
export interface NewEvent {
  readonly type: EventType;
  readonly visibility: Visibility;
  /** The user who caused it; null: the gateway did. */
  readonly actorId: number | null;
  readonly messageId: number | null;
  readonly deliveryId: number | null;
}

/**
 * Builds the statement that appends events of one ticket in order, with the next numbers, and notifies its
 * subscribers when the transaction commits. Without events it changes and notifies nothing. The transaction
 * must hold the lock on the ticket's row, so that the numbers read here are the last ones.
 */
export const appendEvents = (ticketId: number, happened: readonly NewEvent[]): SQL => sql`
  with input as (
    select * from json_to_recordset(${numberedJson(happened)}::text::json) as i (
      n int, type text, visibility text, "actorId" int, "messageId" int, "deliveryId" int)
  ), numbered as (
    select i.*, ${tickets.lastEventNumber} + row_number() over upto as number,
      ${tickets.lastPublicEventNumber}
        + count(*) filter (where i.visibility = 'PUBLIC') over upto as public_number
    from input i join ${tickets} on ${tickets.id} = ${ticketId} window upto as (order by i.n)
  ), new_events as (
    ${insertFrom(
      events,
      {
        ticketId: sql`${ticketId}::int`,
        number: sql`number`,
        publicNumber: sql`case when visibility = 'PUBLIC' then public_number end`,
        type: sql`type`,
        visibility: sql`visibility`,
        actorId: sql`"actorId"`,
        messageId: sql`"messageId"`,
        deliveryId: sql`"deliveryId"`,
        createdAt: sql`clock_timestamp()`,
      },
      sql`numbered`,
    )}
  ), counted as (
    update ${tickets} set ${assign(tickets, {
      lastEventNumber: sql`n.last`,
      lastPublicEventNumber: sql`n.last_public`,
    })}
    from (select max(number) as last, max(public_number) as last_public from numbered having count(*) > 0) n
    where ${tickets.id} = ${ticketId}
  )
  select pg_notify(${eventsChannel}, ${String(ticketId)}) where exists (select from numbered)`;

const numberedJson = (happened: readonly NewEvent[]): string =>
  JSON.stringify(happened.map((event, n) => ({ n, ...event })));
