import { sql } from 'drizzle-orm';
import { preparedFor } from '../../db/prepared.ts';
import { BadCredential, Refusal } from '../../platform/errors.ts';
import type { Viewer } from '../../platform/request-context.ts';
import type { EventType, Visibility } from '../../platform/vocabulary.ts';
import type { TicketContext } from '../context.ts';
import { assertScope, isOperator, requireViewer } from '../policy.ts';
import { invalidInput } from '../refusals.ts';
import { type TicketSelector, ticketNotFound } from '../selector.ts';
import { decodeCursor, encodeCursor, eventsOf } from './cursor.ts';
import { sizeProblems } from './page.ts';
import { findTicket } from './tickets.ts';

/** An event of a ticket. */
export interface TicketEvent {
  readonly ticketId: number;
  /** Gapless within the ticket among the events that this class of viewers may see, in commit order. */
  readonly number: number;
  /** Marks this event for viewers of the same class. */
  readonly cursor: string;
  readonly type: EventType;
  readonly visibility: Visibility;
  readonly actorId: number | null;
  readonly messageId: number | null;
  readonly deliveryId: number | null;
  readonly createdAt: Date;
}

export interface TicketEventsInput {
  readonly ticket: TicketSelector;
  /** Events after this cursor; all events without it. */
  readonly after?: string | null | undefined;
}

/** An event with its watcher as currently authorized, whose permissions apply to the event's fields. */
export interface SeenEvent {
  readonly event: TicketEvent;
  readonly viewer: Viewer;
}

/** A position in a ticket's events, as one class of viewers numbers them. */
interface EventPosition {
  readonly ticketId: number;
  readonly after: number;
  /** Whether operators' numbers are used. Both numberings are gapless for their class. */
  readonly byOperators: boolean;
}

/** Events per query. A watcher that is further behind queries again. */
const pageSize = 100;

/** The page for a class of viewers, by its own numbers: each has an index. */
const prepare = (byOperators: boolean) => {
  const number = sql.raw(byOperators ? 'e.number' : 'e.public_number');
  return preparedFor((db) =>
    db
      .with(
        db.$with('page', {}).as(sql`
        select e.ticket_id, e.type, e.visibility, e.actor_id, e.message_id, e.delivery_id,
          ${number} as number, (extract(epoch from e.created_at) * 1000)::float8 as created_at
        from events e
        where e.ticket_id = ${sql.placeholder('ticketId')}::int
          and ${number} > ${sql.placeholder('after')}::int
          and (${byOperators ? sql`true` : sql`false`} or (
            select t.requester_id from tickets t where t.id = e.ticket_id
          ) = ${sql.placeholder('viewerId')}::int)
        order by ${number} limit ${sql.placeholder('limit')}::int`),
      )
      .select({
        ticketId: sql<number>`ticket_id`,
        number: sql<number>`number`,
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
const select = { operators: prepare(true), requesters: prepare(false) };

/**
 * The events after a cursor, oldest first.
 * @param first number of events, at most and by default 100
 * @throws Refusal UNAUTHENTICATED, FORBIDDEN, TICKET_NOT_FOUND, INVALID_INPUT
 */
export async function listTicketEvents(
  ctx: TicketContext,
  input: TicketEventsInput,
  first: number | null | undefined,
): Promise<TicketEvent[]> {
  const { viewer, place } = await begin(ctx, input, first);
  return read(ctx, viewer, place, first ?? pageSize);
}

/**
 * Yields the events after a cursor and then new ones, without gaps or repetitions, until the caller
 * disconnects.
 * @throws Refusal as listTicketEvents; and UNAUTHENTICATED or FORBIDDEN once the credential, the scope `read`
 *   or the role is lost
 * @throws TooMany
 */
export async function* watchTicketEvents(
  ctx: TicketContext,
  input: TicketEventsInput,
): AsyncGenerator<SeenEvent> {
  const from = ctx.now().getTime();
  const { viewer, ...begun } = await begin(ctx, input);
  let { place } = begun;
  using _mine = ctx.services.watching.take(viewer.userId);
  for await (const _ of ctx.services.events.watch(place.ticketId, ctx.whenAway())) {
    let page: TicketEvent[];
    do {
      page = await read(ctx, await viewerNow(ctx, place), place, pageSize);
      for (const event of page) {
        // The page may be old: a slow caller takes the next event only after sending the last one.
        const viewer = await viewerNow(ctx, place);
        const written = event.createdAt.getTime();
        if (written > from) ctx.services.eventTold((ctx.now().getTime() - written) / 1000);
        yield { event, viewer };
        place = { ...place, after: event.number };
      }
    } while (page.length === pageSize);
  }
}

/**
 * Authenticates the caller again, and checks that they may still watch. @throws Refusal UNAUTHENTICATED,
 * FORBIDDEN
 */
async function viewerNow(ctx: TicketContext, { byOperators }: EventPosition): Promise<Viewer> {
  const viewer = await ctx.signInAgain().catch((error) => {
    if (error instanceof BadCredential) return undefined;
    throw error;
  });
  if (viewer === undefined) throw new Refusal('UNAUTHENTICATED', 'The credential is no longer good');
  assertScope(viewer, 'read');
  if (byOperators && !isOperator(viewer))
    throw new Refusal('FORBIDDEN', 'You are no operator any more; watch the ticket from its cursor of now');
  return viewer;
}

async function begin(
  ctx: TicketContext,
  { ticket: by, after }: TicketEventsInput,
  first?: number | null,
): Promise<{ viewer: Viewer; place: EventPosition }> {
  const viewer = requireViewer(ctx, 'read');
  const ticket = await findTicket(ctx, by);
  if (ticket === undefined) throw ticketNotFound();
  const ticketId = ticket.id;
  const number = after == null ? 0 : decodeCursor(eventsOf(ticketId, isOperator(viewer)), after);
  const problems = [
    ...sizeProblems({ first }),
    ...(number === undefined
      ? [{ path: ['after'], message: '"after" is not a cursor of this ticket\'s events' }]
      : []),
  ];
  if (problems.length > 0) throw invalidInput(problems);
  return { viewer, place: { ticketId, after: number!, byOperators: isOperator(viewer) } };
}

async function read(
  ctx: TicketContext,
  viewer: Viewer,
  { ticketId, after, byOperators }: EventPosition,
  limit: number,
): Promise<TicketEvent[]> {
  const values = { ticketId, after, limit, viewerId: viewer.userId };
  const statement = byOperators ? select.operators : select.requesters;
  const rows = await ctx.services.database.readAs(viewer, (db) => statement(db).execute(values));
  const list = eventsOf(ticketId, byOperators);
  return rows.map((row) => ({
    ...row,
    cursor: encodeCursor(list, row.number),
    createdAt: new Date(row.createdAt),
  }));
}
