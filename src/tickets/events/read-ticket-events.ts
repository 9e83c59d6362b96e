import { sql } from 'drizzle-orm';
import { preparedFor } from '../../db/prepare-once.ts';
import type { Page } from '../../events/feed.ts';
import type { Viewer } from '../../platform/request-context.ts';
import type { EventType, Visibility } from '../../platform/vocabulary.ts';
import type { TicketServices } from '../context.ts';
import { encodeCursor, eventsOf } from '../read/cursor.ts';
import type { TicketEvent } from './event.ts';

/** Viewers who see the same events of one ticket: all operators, or its requester. */
export interface TicketAudience {
  readonly ticketId: number;
  /** Whether events have the operators' numbers. Both numberings have no gaps for their audience. */
  readonly byOperators: boolean;
  /** The viewer, whose id matters only for a requester. */
  readonly viewer: Viewer;
}

/** A position in a ticket's events. */
export interface TicketPosition {
  /** Number of the last event before the position, as the audience counts. */
  readonly number: number;
  /**
   * Last event number, as operators count, that has been read. A requester may not see all events up to it.
   */
  readonly through: number;
}

/**
 * An event with its numbers. They have no gaps within the ticket among the events that its
 * audience sees, and follow the order of commits.
 */
export interface NumberedEvent extends TicketEvent, TicketPosition {}

const after = sql`${sql.placeholder('after')}::int`;

/**
 * The page of an audience, by its own numbers: each has an index, because a requester's number may be far
 * below that of a ticket with many private events. One row at least for a ticket that may be seen: its last
 * number says how far the read has come.
 */
const prepare = (byOperators: boolean) => {
  const own = sql.raw(byOperators ? 'events.number' : 'events.public_number');
  const theirs = byOperators ? sql`` : sql`and t.requester_id = ${sql.placeholder('viewerId')}::int`;
  return preparedFor((db) =>
    db
      .with(
        db.$with('page', {}).as(sql`
        select t.last_event_number, e.*
        from tickets t left join lateral (
          select type, visibility, actor_id, message_id, delivery_id, number as through, ${own} as number,
            (extract(epoch from created_at) * 1000)::float8 as created_at
          from events
          where ticket_id = t.id and ${own} > ${after}
            and events.number > ${sql.placeholder('through')}::int
          order by ${own} limit ${sql.placeholder('limit')}::int
        ) e on true
        where t.id = ${sql.placeholder('ticketId')}::int ${theirs}`),
      )
      .select({
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
      .orderBy(sql`number`)
      .prepare(byOperators ? 'list_events' : 'list_public_events'),
  );
};
const statements = { operators: prepare(true), requesters: prepare(false) };

/**
 * Reads a page of a ticket's events with the permissions of the audience. Empty for a requester who lost the
 * ticket.
 */
export async function readTicketEvents(
  { database }: Pick<TicketServices, 'database'>,
  { ticketId, byOperators, viewer }: TicketAudience,
  from: TicketPosition,
  limit: number,
): Promise<Page<NumberedEvent, TicketPosition>> {
  const reader: Viewer = { ...viewer, role: byOperators ? 'OPERATOR' : 'REQUESTER' };
  const { number: after, through } = from;
  const values = { ticketId, after, through, limit, viewerId: viewer.userId };
  const select = statements[byOperators ? 'operators' : 'requesters'];
  const rows = await database.readAs(reader, (db) => select(db).execute(values));
  const list = eventsOf(ticketId, byOperators);
  const events = rows.flatMap(({ lastNumber: _, number, createdAt, ...row }) =>
    number === null
      ? []
      : { ...row, ticketId, number, cursor: encodeCursor(list, number), createdAt: new Date(createdAt) },
  );
  const more = events.length > 0 && events.length >= limit;
  const last = events.at(-1);
  const reached = more
    ? { number: last!.number, through: last!.through }
    : { number: last?.number ?? after, through: rows[0]?.lastNumber ?? through };
  return { events, reached, more };
}
