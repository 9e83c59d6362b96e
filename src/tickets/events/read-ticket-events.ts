import { sql } from 'drizzle-orm';
import { preparePerPool } from '../../db/prepare-per-pool.ts';
import type { ViewerReads } from '../../db/viewer-reads.ts';
import type { Page } from '../../events/recent-events.ts';
import type { Viewer } from '../../platform/request-context.ts';
import type { EventType, Visibility } from '../../platform/vocabulary.ts';
import { encodeCursor, eventsOf } from '../read/cursor.ts';
import { eventTime } from './event.ts';
import { noteRedaction } from './last-redaction.ts';
import type { EventAudience, NumberedEvent, TicketPlace, TicketPosition } from './ticket-position.ts';

const given = (name: string) => sql.placeholder(name);

/**
 * The pages of an audience, by the numbers that it gives events. Operators' and requesters' numbers each have
 * an index, because they are far apart in a ticket with many private events. A ticket that may be seen has at
 * least one row, because its last number says how far the read has come.
 */
const prepare = (byOperators: boolean) => {
  const own = sql.raw(byOperators ? 'events.number' : 'events.public_number');
  const theirs = byOperators ? sql`` : sql`and t.requester_id = ${given('viewerId')}::int`;
  return preparePerPool((db) =>
    db
      .with(
        db.$with('page', {}).as(sql`
        select w.at, t.last_event_number, e.*
        from unnest(${given('ticketIds')}::int[], ${given('numbers')}::int[], ${given('throughs')}::int[])
          with ordinality w (ticket_id, after, through, at)
        join tickets t on t.id = w.ticket_id ${theirs}
        left join lateral (
          select type, visibility, actor_id, message_id, delivery_id, number as through, ${own} as number,
            (extract(epoch from created_at) * 1000)::float8 as created_at
          from events
          where ticket_id = t.id and ${own} > w.after and events.number > w.through
          order by ${own} limit ${given('limit')}::int
        ) e on true`),
      )
      .select({
        at: sql<number>`at::int`,
        lastNumber: sql<number>`last_event_number`,
        number: sql<number | null>`number`,
        through: sql<number>`through`,
        type: sql<EventType>`type`,
        visibility: sql<Visibility>`visibility`,
        actorId: sql<number | null>`actor_id`,
        messageId: sql<number | null>`message_id`,
        deliveryId: sql<number | null>`delivery_id`,
        createdAt: sql<number>`created_at`,
      })
      .from(sql`page`)
      .orderBy(sql`at, number`)
      .prepare(byOperators ? 'list_events' : 'list_public_events'),
  );
};
const statements = { operators: prepare(true), requesters: prepare(false) };

/**
 * Reads one page of events for each given ticket, in one statement, with the permissions of the audience. A
 * MESSAGE_REDACTED among them is reported to `noteRedaction`.
 * @param places tickets, each with the position after which its page begins
 * @param limit maximum number of events of each ticket
 * @returns a page for each of `places`, in their order, with events in ascending order of their numbers. The
 *   page of a ticket that does not exist, or that is not the requester's any more, is empty
 */
export async function readTicketEvents(
  { database }: { readonly database: ViewerReads },
  { byOperators, viewer }: EventAudience,
  places: readonly TicketPlace[],
  limit: number,
): Promise<Page<NumberedEvent, TicketPosition>[]> {
  const reader: Viewer = { ...viewer, role: byOperators ? 'OPERATOR' : 'REQUESTER' };
  const values = {
    ticketIds: places.map(({ ticketId }) => ticketId),
    numbers: places.map(({ number }) => number),
    throughs: places.map(({ through }) => through),
    ...{ limit, viewerId: viewer.userId },
  };
  const select = statements[byOperators ? 'operators' : 'requesters'];
  const rows = await database.readAs(reader, (db) => select(db).execute(values));
  const found = places.map((place) => ({ events: [] as NumberedEvent[], lastNumber: place.through }));
  const readWith: NumberedEvent[] = [];
  for (const { at, lastNumber, number, createdAt, ...row } of rows) {
    const { ticketId } = places[at - 1]!;
    found[at - 1]!.lastNumber = lastNumber;
    if (number === null) continue;
    if (row.type === 'MESSAGE_REDACTED') noteRedaction();
    const cursor = encodeCursor(eventsOf(ticketId, byOperators), number);
    const event = { ...row, ticketId, number, cursor, createdAt: eventTime(createdAt), readWith };
    readWith.push(event);
    found[at - 1]!.events.push(event);
  }
  return found.map((one, n) => pageOf(one, places[n]!, limit));
}

function pageOf(
  { events, lastNumber }: { readonly events: readonly NumberedEvent[]; readonly lastNumber: number },
  from: TicketPosition,
  limit: number,
): Page<NumberedEvent, TicketPosition> {
  const last = events.at(-1);
  const more = last !== undefined && events.length >= limit;
  const through = more ? last.through : lastNumber;
  return { events, reached: { number: last?.number ?? from.number, through }, more };
}
