import type { FeedOf } from '../../events/feeds.ts';
import type { TicketContext } from '../context.ts';
import { invalidInput } from '../invalid-input.ts';
import { isOperator, requireViewer } from '../permissions.ts';
import { decodeCursor, eventsOf } from '../read/cursor.ts';
import { sizeProblems } from '../read/pagination.ts';
import { findTicket } from '../read/tickets.ts';
import { type TicketSelector, ticketNotFound } from '../ticket-selector.ts';
import { aheadOf, pageSize, type TicketEvent, type WatchedEvent } from './event.ts';
import { readTicketEvents } from './read-ticket-events.ts';
import type { EventAudience, NumberedEvent, TicketPlace, TicketPosition } from './ticket-position.ts';
import { EventWatcher } from './watcher.ts';

/** Input of `listTicketEvents` and `watchTicketEvents`. */
export interface TicketEventsInput {
  readonly ticket: TicketSelector;
  /** Events after this cursor; all events without it. */
  readonly after?: string | null | undefined;
}

/**
 * The events of a ticket after a cursor, oldest first. Requesters get the public ones only.
 * @param first most events: 0 to 100, and 100 by default
 * @throws Refusal UNAUTHENTICATED; FORBIDDEN without the scope `read`; TICKET_NOT_FOUND also for a ticket
 *   that the viewer may not see; INVALID_INPUT for `first`, or a cursor of another list or ahead of the
 *   ticket
 */
export async function listTicketEvents(
  ctx: TicketContext,
  input: TicketEventsInput,
  first: number | null | undefined,
): Promise<readonly TicketEvent[]> {
  const { of, from } = await begin(ctx, input, first);
  const [page] = await readTicketEvents(ctx.services, of, [from], first ?? pageSize);
  return page!.events;
}

/**
 * The events of a ticket after a cursor, or from the first one, and then new ones, without gaps or
 * repetitions. The stream ends when its consumer ends it by `return`, or the gateway stops. When the right to
 * watch is lost or a read fails, the stream throws the refusal or the error. While it is open, it counts as
 * one of the viewer's subscriptions.
 * @throws Refusal as `listTicketEvents`
 * @throws TooMany when the viewer has too many subscriptions open
 */
export async function watchTicketEvents(
  ctx: TicketContext,
  input: TicketEventsInput,
): Promise<AsyncIterable<WatchedEvent>> {
  const { of, from } = await begin(ctx, input);
  const { byOperators, viewer } = of;
  const { ticketId } = from;
  const feed: FeedOf<NumberedEvent, TicketPosition> = {
    key: `${eventsOf(ticketId, byOperators)} ${byOperators ? '' : viewer.userId}`,
    ticketId,
    read: (after) => ctx.services.readEventsTogether(of, { ticketId, ...after }),
    positionOf,
    isBefore,
  };
  const forOperators = byOperators
    ? 'You are no longer an operator; watch the ticket from its current cursor'
    : undefined;
  return EventWatcher.start(ctx, { feed, from, forOperators });
}

const positionOf = ({ number, through }: NumberedEvent): TicketPosition => ({ number, through });
const isBefore = (a: TicketPosition, b: TicketPosition): boolean => a.number < b.number;

async function begin(
  ctx: TicketContext,
  { ticket: by, after }: TicketEventsInput,
  first?: number | null,
): Promise<{ of: EventAudience; from: TicketPlace }> {
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
    // Waiting for the ticket to catch up would pass over the events until then.
    ...(number !== undefined && number > ticket.cursor
      ? [{ path: ['after'], message: aheadOf('this ticket') }]
      : []),
  ];
  if (problems.length > 0) throw invalidInput(problems);
  return { of: { byOperators, viewer }, from: { ticketId, number: number!, through: 0 } };
}
