import { sql } from 'drizzle-orm';
import { preparePerPool } from '../../db/prepare-per-pool.ts';
import { oneOf } from '../../db/tables/column-types.ts';
import type { Page } from '../../events/recent-events.ts';
import type { Viewer } from '../../platform/request-context.ts';
import {
  type EventType,
  eventTypes,
  otherEventType,
  type ShownEventType,
  type TicketStatus,
  type Visibility,
} from '../../platform/vocabulary.ts';
import type { TicketServices } from '../context.ts';
import { type DeskPosition, deskCursor } from './desk-cursor.ts';
import { eventTime, type TicketEvent } from './event.ts';
import { noteRedaction } from './last-redaction.ts';

/** Selects events of the desk that meet all conditions. Absent and null ones do not restrict. */
export interface DeskEventFilter {
  /** OTHER selects the events of all types that this version does not know. */
  readonly types?: readonly ShownEventType[] | null | undefined;
  readonly visibility?: Visibility | null | undefined;
  /** Events of tickets that are in this status now. */
  readonly status?: TicketStatus | null | undefined;
  /** Events of this user's tickets. 0: not an id, which is refused. */
  readonly requesterId?: number | null | undefined;
}

/** An event of the desk, with its position, and with what filters need of its ticket. */
export interface DeskEvent extends TicketEvent {
  readonly position: DeskPosition;
  /** The ticket's status when the event was read. */
  readonly status: TicketStatus;
  /** The ticket's requester. */
  readonly requesterId: number;
}

/** Events that one query reads, however few of them the filter wants. */
const scanned = 1000;

const lastNumber = 2_147_483_647;
const other = sql.raw(`'${otherEventType}'`);
const given = (name: string) => sql.placeholder(name);

/*
 * All events below the horizon are final: a transaction that is under way can only add events behind it. The
 * horizon and the rows come from one snapshot.
 */
const select = preparePerPool((db) =>
  db
    .with(
      db.$with('horizon', {}).as(sql`select event_horizon() as place`),
      db.$with('scanned', {}).as(sql`
        select e.* from events e
        where (e.place, e.ticket_id, e.number)
            > (${given('place')}::bigint, ${given('ticketId')}::int, ${given('number')}::int)
          and e.place < (select place from horizon)
        order by e.place, e.ticket_id, e.number limit ${given('scanned')}::int`),
      db.$with('wanted', {}).as(sql`
        select e.place, e.ticket_id, e.number, e.type, e.visibility, e.actor_id, e.message_id, e.delivery_id,
          (extract(epoch from e.created_at) * 1000)::float8 as created_at, t.status, t.requester_id
        from scanned e join tickets t on t.id = e.ticket_id
        where (${given('types')}::text[] is null or e.type = any (${given('types')}::text[])
          or ${other} = any (${given('types')}::text[]) and not ${oneOf('e.type', eventTypes)})
          and (${given('visibility')}::text is null or e.visibility = ${given('visibility')}::text)
          and (${given('status')}::text is null or t.status = ${given('status')}::text)
          and (${given('requesterId')}::int is null or t.requester_id = ${given('requesterId')}::int)
        order by e.place, e.ticket_id, e.number limit ${given('limit')}::int`),
    )
    .select({
      scannedCount: sql<number>`(select count(*)::int from scanned)`,
      scannedTo: sql<readonly [number, number, number] | null>`(
        select json_build_array(place, ticket_id, number) from scanned
        order by place desc, ticket_id desc, number desc limit 1)`,
      areHeld: sql<boolean>`exists (select from events e where e.place >= (select place from horizon))`,
      place: sql<number | null>`w.place::float8`,
      ticketId: sql<number>`w.ticket_id`,
      number: sql<number>`w.number`,
      type: sql<EventType>`w.type`,
      visibility: sql<Visibility>`w.visibility`,
      actorId: sql<number | null>`w.actor_id`,
      messageId: sql<number | null>`w.message_id`,
      deliveryId: sql<number | null>`w.delivery_id`,
      createdAt: sql<number>`w.created_at`,
      status: sql<TicketStatus>`w.status`,
      requesterId: sql<number>`w.requester_id`,
    })
    .from(sql`horizon left join wanted w on true`)
    .orderBy(sql`w.place, w.ticket_id, w.number`)
    .prepare('list_desk_events'),
);

/**
 * Reads a page of the events of all tickets, oldest first: the wanted ones among the next 1,000 events after
 * a position. The page may be short or empty although `more` is true; reading goes on at `reached`. Events
 * that an older transaction holds back are left out, and `areHeld` says so. All operators see the same. A
 * MESSAGE_REDACTED among them is reported to `noteRedaction`.
 * @param operator the viewer; the caller has checked the role
 * @param limit most events of the page; with 0, `more` says whether there are any
 */
export async function readDeskEvents(
  operator: Viewer,
  { database }: Pick<TicketServices, 'database'>,
  { types, visibility, status, requesterId }: DeskEventFilter,
  after: DeskPosition,
  limit: number,
): Promise<Page<DeskEvent, DeskPosition>> {
  const [place, ticketId, number] = after;
  const values = {
    ...{ place, ticketId, number, limit, scanned },
    types: types == null ? null : [...types],
    visibility: visibility ?? null,
    status: status ?? null,
    requesterId: requesterId ?? null,
  };
  const rows = await database.readAs(operator, (db) => select(db).execute(values));
  const { scannedCount, scannedTo, areHeld } = rows[0]!;
  const events: DeskEvent[] = [];
  for (const row of rows)
    if (row.place !== null) events.push(eventOf({ ...row, place: row.place, readWith: events }));
  if (events.some(({ type }) => type === 'MESSAGE_REDACTED')) noteRedaction();
  const isFull = limit > 0 && events.length >= limit;
  const more = isFull || scannedCount >= (limit === 0 ? 1 : scanned);
  // Not the horizon: after a crash, a server may reuse the ids of transactions that wrote nothing.
  const reached = limit === 0 ? after : isFull ? events.at(-1)!.position : (scannedTo ?? after);
  return { events, reached, more, areHeld };
}

type Row = Omit<DeskEvent, 'position' | 'cursor' | 'createdAt'> & {
  readonly place: number;
  readonly number: number;
  readonly createdAt: number;
};

function eventOf({ place, number, createdAt, ...row }: Row): DeskEvent {
  const position: DeskPosition = [place, row.ticketId, number];
  return { ...row, position, cursor: deskCursor(position), createdAt: eventTime(createdAt) };
}

/** SQL for the place of the last event that can be read now; 0 when there is none. */
export const lastPlace = sql`
  (select coalesce(max(e.place), 0) from events e where e.place < event_horizon())`;

/**
 * Finds `now`, the position after every event that can be read now, and `ahead`, the lowest place that no
 * event can have yet. A cursor at or after `ahead` is from another database, or from this one before an older
 * backup was restored.
 */
export async function findHorizon({
  database,
}: Pick<TicketServices, 'database'>): Promise<{ readonly now: DeskPosition; readonly ahead: number }> {
  const [row] = await selectHorizon(database.desk).execute();
  return { now: [row!.last, lastNumber, lastNumber], ahead: row!.ahead };
}

const selectHorizon = preparePerPool((db) =>
  db
    .select({
      last: sql<number>`${lastPlace}::float8`,
      ahead: sql<number>`(xact_offset() + pg_snapshot_xmax(pg_current_snapshot())::text::bigint)::float8`,
    })
    .from(sql`(select) as nothing`)
    .prepare('find_event_horizon'),
);
