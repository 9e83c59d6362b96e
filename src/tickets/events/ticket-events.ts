import type { TicketContext } from '../context.ts';
import { isOperator, requireViewer } from '../policy.ts';
import { decodeCursor, eventsOf } from '../read/cursor.ts';
import { sizeProblems } from '../read/page.ts';
import { findTicket } from '../read/tickets.ts';
import { invalidInput } from '../refusals.ts';
import { type TicketSelector, ticketNotFound } from '../selector.ts';
import { pageSize, type SeenEvent, type TicketEvent } from './event.ts';
import { readTicketEvents, type TicketClass, type TicketPosition } from './rows.ts';
import { tellEvents } from './watcher.ts';

/** Input of `listTicketEvents` and `watchTicketEvents`. */
export interface TicketEventsInput {
  readonly ticket: TicketSelector;
  /** Events after this cursor; all events without it. */
  readonly after?: string | null | undefined;
}

/**
 * The events of a ticket after a cursor, oldest first.
 * @param first number of events, at most and by default 100
 * @throws Refusal UNAUTHENTICATED, FORBIDDEN, TICKET_NOT_FOUND, INVALID_INPUT
 */
export async function listTicketEvents(
  ctx: TicketContext,
  input: TicketEventsInput,
  first: number | null | undefined,
): Promise<readonly TicketEvent[]> {
  const { of, from } = await begin(ctx, input, first);
  return (await readTicketEvents(ctx.services, of, from, first ?? pageSize)).events;
}

/**
 * Yields the events of a ticket after a cursor and then new ones, without gaps or repetitions, until the
 * caller disconnects.
 * @throws Refusal as `listTicketEvents`; and UNAUTHENTICATED or FORBIDDEN once the credential, the scope
 *   `read` or the role is lost
 * @throws TooMany when the user already watches as many lists as allowed
 */
export async function* watchTicketEvents(
  ctx: TicketContext,
  input: TicketEventsInput,
): AsyncGenerator<SeenEvent> {
  const { of, from } = await begin(ctx, input);
  const { services } = ctx;
  using _mine = services.watching.take(of.viewer.userId);
  using watching = await services.events.watch(
    {
      key: `${eventsOf(of.ticketId, of.byOperators)} ${of.byOperators ? '' : of.viewer.userId}`,
      ticketId: of.ticketId,
      read: (after: TicketPosition) => readTicketEvents(services, of, after, pageSize),
      positionOf: ({ number, through }) => ({ number, through }),
      isBefore: (a, b) => a.number < b.number,
    },
    ctx.whenAway(),
  );
  const forOperators = of.byOperators
    ? 'You are no operator any more; watch the ticket from its cursor of now'
    : undefined;
  yield* tellEvents(ctx, { watching, from, forOperators });
}

async function begin(
  ctx: TicketContext,
  { ticket: by, after }: TicketEventsInput,
  first?: number | null,
): Promise<{ of: TicketClass; from: TicketPosition }> {
  const viewer = requireViewer(ctx, 'read');
  const ticket = await findTicket(ctx, by);
  if (ticket === undefined) throw ticketNotFound();
  const ticketId = ticket.id;
  const byOperators = isOperator(viewer);
  const number = after == null ? 0 : decodeCursor(eventsOf(ticketId, byOperators), after);
  const problems = [
    ...sizeProblems({ first }),
    ...(number === undefined
      ? [{ path: ['after'], message: '"after" is not a cursor of this ticket\'s events' }]
      : []),
  ];
  if (problems.length > 0) throw invalidInput(problems);
  return { of: { ticketId, byOperators, viewer }, from: { number: number!, through: 0 } };
}
