import { eventTypes, otherEventType } from '../../platform/vocabulary.ts';
import type { TicketContext } from '../context.ts';
import { filterIdProblems, invalidInput } from '../invalid-input.ts';
import { requireOperator } from '../permissions.ts';
import { sizeProblems } from '../read/pagination.ts';
import { type DeskPosition, deskCursor, deskStart, readDeskCursor } from './desk-cursor.ts';
import { deskFeed, isWanted, wantsAll } from './desk-feed.ts';
import { aheadOf, pageSize, type TicketEvent, type WatchedEvent } from './event.ts';
import { type DeskEventFilter, findHorizon, readDeskEvents } from './read-desk-events.ts';
import { EventWatcher } from './watcher.ts';

/** Input of `listDeskEvents` and `watchDeskEvents`. */
export interface DeskEventsInput {
  readonly filter: DeskEventFilter;
  /** Events after this cursor. Without it, listing begins at the first event, and watching now. */
  readonly after?: string | null | undefined;
}

/** Input of `watchDeskEvents`. */
export interface DeskWatchInput extends DeskEventsInput {
  /** Called with the cursor at which watching begins, before it resolves, if there is no `after`. */
  readonly began?: (cursor: string) => void;
}

/** A page of the desk's events, oldest first. */
export interface DeskEventPage {
  readonly events: readonly TicketEvent[];
  /** `after` of the next page. It moves on even if the filter wants none of many events. */
  readonly cursor: string;
  /**
   * Whether there may be more events already. It can be true for a short or empty page, because a page is
   * selected from at most 1,000 events.
   */
  readonly hasMore: boolean;
}

/**
 * A page of the events of all tickets after a cursor, oldest first. Without a cursor, the page begins with
 * the first event. An event cannot be read while an older transaction is under way.
 * @param first most events of the page: 0 to 100, and 100 by default
 * @throws Refusal UNAUTHENTICATED; FORBIDDEN for requesters and without the scope `read`; INVALID_INPUT for
 *   `first`, `filter.types`, `filter.requesterId`, or a cursor that is malformed or ahead of the desk
 */
export async function listDeskEvents(
  ctx: TicketContext,
  { filter, after }: DeskEventsInput,
  first: number | null | undefined,
): Promise<DeskEventPage> {
  const operator = requireOperator(ctx, watch, 'read');
  const from = (await begin(ctx, { filter, after }, first)) ?? deskStart;
  const page = await readDeskEvents(operator, ctx.services, filter, from, first ?? pageSize);
  return { events: page.events, cursor: deskCursor(page.reached), hasMore: page.more };
}

/**
 * The cursor at the end of the events that can be read now.
 * @throws Refusal UNAUTHENTICATED; FORBIDDEN for requesters and without the scope `read`
 */
export async function currentDeskCursor(ctx: TicketContext): Promise<string> {
  requireOperator(ctx, watch, 'read');
  return deskCursor((await findHorizon(ctx.services)).now);
}

/**
 * The events of all tickets after a cursor, and new ones as they come. Without a cursor, only new ones. The
 * stream ends when its consumer ends it by `return`, or the gateway stops. When the right to watch is lost or
 * a read fails, the stream throws the refusal or the error. While it is open, it counts as one of the
 * viewer's subscriptions.
 * @throws Refusal as `listDeskEvents`
 * @throws TooMany when the viewer has too many subscriptions open
 */
export async function watchDeskEvents(
  ctx: TicketContext,
  { filter, after, began }: DeskWatchInput,
): Promise<AsyncIterable<WatchedEvent>> {
  const operator = requireOperator(ctx, watch, 'read');
  const from = (await begin(ctx, { filter, after })) ?? (await findHorizon(ctx.services)).now;
  if (after == null) began?.(deskCursor(from));
  const read = (of: DeskEventFilter) => (position: DeskPosition) =>
    readDeskEvents(operator, ctx.services, of, position, pageSize);
  return EventWatcher.start(ctx, {
    feed: deskFeed(read({}), ctx.log),
    from,
    forOperators: 'You are no longer an operator',
    isWanted: (event) => isWanted(filter, event),
    alone: wantsAll(filter) ? undefined : { read: read(filter), key: JSON.stringify(filter) },
  });
}

const watch = 'watch the whole desk';
const allTypes = [...eventTypes, otherEventType];

/** @returns the cursor's position @throws Refusal INVALID_INPUT */
async function begin(
  ctx: TicketContext,
  { filter, after }: DeskEventsInput,
  first?: number | null,
): Promise<DeskPosition | undefined> {
  const position = after == null ? undefined : readDeskCursor(after);
  const problems = [
    ...filterIdProblems(filter.requesterId, 'person', 'requester'),
    ...sizeProblems({ first }),
  ];
  if ((filter.types?.length ?? 0) > allTypes.length)
    problems.push({
      path: ['filter', 'types'],
      message: `There are ${filter.types!.length} types; ${allTypes.length} are allowed`,
    });
  if (after != null && position === undefined)
    problems.push({ path: ['after'], message: '"after" is not a cursor of the desk\'s events' });
  else if (position !== undefined && position[0] >= (await findHorizon(ctx.services)).ahead)
    problems.push({ path: ['after'], message: aheadOf('this desk') });
  if (problems.length > 0) throw invalidInput(problems);
  return position;
}
