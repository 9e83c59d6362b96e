import { sql } from 'drizzle-orm';
import type { Viewer } from '../context.ts';
import { preparedFor } from '../db/prepared.ts';
import { BadCredential, type Problem, Refusal } from '../errors.ts';
import type { EventType, Visibility } from '../vocabulary.ts';
import type { DeskContext } from './desk.ts';
import { isOperator, requireViewer } from './policy.ts';
import type { TicketSelector } from './selector.ts';
import { findTicket } from './ticket.ts';

/** Something that happened in a ticket. */
export interface TicketEvent {
  readonly ticketId: number;
  /** Gapless within the ticket among the events that this class of viewers may see, in commit order. */
  readonly number: number;
  readonly type: EventType;
  readonly visibility: Visibility;
  readonly actorId: number | null;
  readonly messageId: number | null;
  readonly deliveryId: number | null;
  readonly createdAt: Date;
}

export interface TicketEventsInput {
  readonly ticket: TicketSelector;
  /** A cursor: events after it. Absent: from the first one. */
  readonly after?: string | null | undefined;
}

/** Events read at once; a watcher that is further behind reads again. */
const pageSize = 100;

const select = preparedFor((db) =>
  db
    .with(
      db.$with('page', {}).as(sql`
        select e.ticket_id, case when ${sql.placeholder('operator')}::bool then e.number else e.public_number end as number, e.type, e.visibility,
          e.actor_id, e.message_id, e.delivery_id, (extract(epoch from e.created_at) * 1000)::float8 as created_at
        from events e join tickets t on t.id = e.ticket_id
        where e.ticket_id = ${sql.placeholder('ticketId')}::int
          -- A public number is never greater than the number, so that all are found by the same key.
          and e.number > ${sql.placeholder('after')}::int
          and (${sql.placeholder('operator')}::bool
            or (e.public_number > ${sql.placeholder('after')}::int and t.requester_id = ${sql.placeholder('viewerId')}::int))
        order by e.number limit ${sql.placeholder('limit')}::int`),
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
    .prepare('list_events'),
);

/**
 * The events after a cursor, oldest first, at most `limit` of them.
 * @throws Refusal TICKET_NOT_FOUND, INVALID_INPUT for what is no cursor
 */
export async function listTicketEvents(
  ctx: DeskContext,
  input: TicketEventsInput,
  limit: number,
): Promise<TicketEvent[]> {
  const { viewer, ticketId, after } = await begin(ctx, input);
  return read(ctx, viewer, ticketId, after, Math.min(limit, pageSize));
}

/**
 * The events after a cursor and then those to come, without a gap or a repeat, until the caller goes away.
 * @throws Refusal as listTicketEvents; and TICKET_NOT_FOUND once the viewer may see the ticket no longer
 */
export async function* watchTicketEvents(
  ctx: DeskContext,
  input: TicketEventsInput,
): AsyncGenerator<TicketEvent> {
  const { ticketId, after } = await begin(ctx, input);
  let last = after;
  for await (const _ of ctx.desk.events.watch(ticketId, ctx.whenAway())) {
    // Whoever has lost the credential, the role or the ticket since is told no more.
    const viewer = await viewerStill(ctx);
    let page: TicketEvent[];
    do {
      page = await read(ctx, viewer, ticketId, last, pageSize);
      for (const event of page) {
        yield event;
        last = event.number;
      }
    } while (page.length === pageSize);
  }
}

async function viewerStill(ctx: DeskContext): Promise<Viewer> {
  const viewer = await ctx.signInAgain().catch((error) => {
    if (error instanceof BadCredential) return undefined;
    throw error;
  });
  if (viewer === undefined) throw new Refusal('UNAUTHENTICATED', 'The credential is no longer good');
  return viewer;
}

async function begin(ctx: DeskContext, { ticket: by, after }: TicketEventsInput) {
  const viewer = requireViewer(ctx, 'read');
  if (after != null && !/^\d{1,9}$/.test(after)) {
    const problems: Problem[] = [{ path: ['after'], message: 'Not a cursor of an event' }];
    throw new Refusal('INVALID_INPUT', problems[0]!.message, { problems }, ['after']);
  }
  const ticket = await findTicket(ctx, by);
  if (ticket === undefined)
    throw new Refusal('TICKET_NOT_FOUND', 'There is no such ticket', undefined, ['ticket']);
  return { viewer, ticketId: ticket.id, after: Number(after ?? 0) };
}

async function read(
  ctx: DeskContext,
  viewer: Viewer,
  ticketId: number,
  after: number,
  limit: number,
): Promise<TicketEvent[]> {
  const values = { ticketId, after, limit, viewerId: viewer.userId, operator: isOperator(viewer) };
  const rows = await ctx.desk.database.readAs(viewer, (db) => select(db).execute(values));
  return rows.map((row) => ({ ...row, createdAt: new Date(row.createdAt) }));
}
