import { sql } from 'drizzle-orm';
import type { ViewerReads } from '../../db/reads/viewer-reads.ts';
import { textStatement } from '../../db/run-statement.ts';
import type { Page } from '../../events/recent-events.ts';
import type { Viewer } from '../../platform/request-context.ts';
import type { EventType, Visibility } from '../../platform/vocabulary.ts';
import { WordReader } from '../read/conversation/word-reader.ts';
import { encodeCursor, eventsOf } from '../read/cursor.ts';
import { eventTime } from './event.ts';
import { noteRedaction } from './last-redaction.ts';
import type { EventAudience, NumberedEvent, TicketPlace, TicketPosition } from './ticket-position.ts';

const given = (name: string, type: string) => sql`${sql.placeholder(name)}::${sql.raw(type)}`;
/** `-` stands for null, which `concat_ws` would omit. */
const orNone = (column: string) => sql.raw(`coalesce(${column}::text, '-')`);

/** The values of the statements. */
interface Values extends Record<string, unknown> {
  readonly ticketIds: readonly number[];
  readonly numbers: readonly number[];
  readonly throughs: readonly number[];
  readonly limit: number;
  /** Matters only for a requester. */
  readonly viewerId: number;
}

/**
 * The pages of an audience, by the numbers that it gives events. Operators' and requesters' numbers each have
 * an index, because they are far apart in a ticket with many private events. A ticket that may be seen has at
 * least one row, because its last number says how far the read has come. Without the limit of 1, PostgreSQL
 * would look up all tickets of the requester, because it expects a requester to have few. A row is one text
 * of words, which costs the driver less than columns. `eventOf` reads them. A time that is infinite becomes
 * one that fits.
 */
const prepare = (byOperators: boolean) => {
  const own = sql.raw(byOperators ? 'events.number' : 'events.public_number');
  const theirs = byOperators ? sql`true` : sql`t.requester_id = ${given('viewerId', 'int')}`;
  return textStatement<Values>(sql`
    select concat_ws(' ', 'E', w.at, t.last_event_number, ${orNone('e.number')}, e.through, e.type,
      e.visibility, ${orNone('e.actor_id')}, ${orNone('e.message_id')}, ${orNone('e.delivery_id')},
      e.created_at)
    from unnest(${given('ticketIds', 'int[]')}, ${given('numbers', 'int[]')}, ${given('throughs', 'int[]')})
      with ordinality w (ticket_id, after, through, at)
    join lateral (
      select id, requester_id, last_event_number from tickets where id = w.ticket_id limit 1
    ) t on ${theirs}
    left join lateral (
      select type, visibility, actor_id, message_id, delivery_id, number as through, ${own} as number,
        trunc(greatest(-1e12, least(1e12, date_part('epoch', created_at))) * 1000)::bigint as created_at
      from events
      where ticket_id = t.id and ${own} > w.after and events.number > w.through
      order by ${own} limit ${given('limit', 'int')}
    ) e on true
    order by w.at, e.number`);
};

const statements = { operators: prepare(true), requesters: prepare(false) };

const words = new WordReader();

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
  const statement = statements[byOperators ? 'operators' : 'requesters'];
  const rows = await database.readTextsAs(reader, statement, values);
  const found = places.map((place) => ({ events: [] as NumberedEvent[], lastNumber: place.through }));
  const readWith: NumberedEvent[] = [];
  for (const [row] of rows) {
    const at = words.begin(row!).number() - 1;
    found[at]!.lastNumber = words.number();
    const number = words.numberOrNull();
    if (number === null) continue;
    const event = eventOf(number, places[at]!.ticketId, byOperators, readWith);
    if (event.type === 'MESSAGE_REDACTED') noteRedaction();
    readWith.push(event);
    found[at]!.events.push(event);
  }
  return found.map((one, n) => pageOf(one, places[n]!, limit));
}

/** Reads an event from the words after its number. */
function eventOf(
  number: number,
  ticketId: number,
  byOperators: boolean,
  readWith: readonly NumberedEvent[],
): NumberedEvent {
  return {
    ticketId,
    number,
    cursor: encodeCursor(eventsOf(ticketId, byOperators), number),
    through: words.number(),
    type: words.word() as EventType,
    visibility: words.word() as Visibility,
    actorId: words.numberOrNull(),
    messageId: words.numberOrNull(),
    deliveryId: words.numberOrNull(),
    createdAt: eventTime(words.number()),
    readWith,
  };
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
