import type { ReadAfter } from '../../events/feed.ts';
import type { FeedOf } from '../../events/feeds.ts';
import { anyTicket } from '../../events/hub.ts';
import type { Logger } from '../../platform/log.ts';
import { type DeskPosition, isBefore } from './desk-cursor.ts';
import type { DeskEvent, DeskEventFilter } from './read-desk-events.ts';

/** The events of the whole desk, read once for all who watch them. @param read reads all of them */
export const deskFeed = (
  read: ReadAfter<DeskEvent, DeskPosition>,
  log: Logger,
): FeedOf<DeskEvent, DeskPosition> => ({
  key: 'desk',
  ticketId: anyTicket,
  read: sayWhenHeld(log, read),
  positionOf: ({ position }) => position,
  isBefore,
});

/** Milliseconds after which held events are reported in the log. */
const longHeldMs = 30_000;

/** Logs when a transaction holds the desk's events for long. */
function sayWhenHeld(
  log: Logger,
  read: ReadAfter<DeskEvent, DeskPosition>,
): ReadAfter<DeskEvent, DeskPosition> {
  let heldAt: DeskPosition | undefined;
  let since = 0;
  return async (after) => {
    const page = await read(after);
    const now = performance.now();
    const isSame = page.areHeld === true && heldAt !== undefined && !isBefore(heldAt, page.reached);
    if (!isSame) {
      heldAt = page.areHeld === true ? page.reached : undefined;
      since = now;
    } else if (now - since > longHeldMs) {
      since = now;
      log.warn('events of the desk are held: a transaction has been running for over 30 s');
    }
    return page;
  };
}

/** Whether a filter wants an event. */
export function isWanted(
  { types, visibility, status, requesterId }: DeskEventFilter,
  event: DeskEvent,
): boolean {
  return (
    (types == null || types.includes(event.type)) &&
    (visibility == null || visibility === event.visibility) &&
    (status == null || status === event.status) &&
    (requesterId == null || requesterId === event.requesterId)
  );
}

/** Whether a filter wants every event. */
export const wantsAll = (filter: DeskEventFilter): boolean =>
  Object.values(filter).every((condition) => condition == null);
