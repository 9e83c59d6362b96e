import type { ReadAfter } from '../../events/feed.ts';
import type { FeedOf } from '../../events/feeds.ts';
import { anyTicket } from '../../events/hub.ts';
import type { Logger } from '../../platform/log.ts';
import { shownEventType } from '../../platform/vocabulary.ts';
import { type DeskPosition, isBefore } from './desk-cursor.ts';
import type { DeskEvent, DeskEventFilter } from './read-desk-events.ts';

/**
 * Describes the feed of all the desk's events, which is read once for everyone who watches it. Its reads log
 * a warning when a transaction has held new events back for 30 seconds, and every 30 seconds after that.
 * @param read reads the events after a position, without a filter
 */
export const deskFeed = (
  read: ReadAfter<DeskEvent, DeskPosition>,
  log: Logger,
): FeedOf<DeskEvent, DeskPosition> => ({
  key: 'desk',
  ticketId: anyTicket,
  read: warnWhenHeld(log, read),
  positionOf: ({ position }) => position,
  isBefore,
});

/** Milliseconds after which held events are reported in the log, and then again. */
const longHeldMs = 30_000;

/** Logs when a transaction holds the desk's events for long. */
function warnWhenHeld(
  log: Logger,
  read: ReadAfter<DeskEvent, DeskPosition>,
): ReadAfter<DeskEvent, DeskPosition> {
  let heldAt: DeskPosition | undefined;
  let since = 0;
  let warnedAt = 0;
  return async (after) => {
    const page = await read(after);
    const now = performance.now();
    const isSame = page.areHeld === true && heldAt !== undefined && !isBefore(heldAt, page.reached);
    if (!isSame) {
      heldAt = page.areHeld === true ? page.reached : undefined;
      since = now;
      warnedAt = now;
    } else if (now - warnedAt > longHeldMs) {
      warnedAt = now;
      const seconds = Math.round((now - since) / 1000);
      log.warn(
        { seconds },
        'new events of the desk are held back until a database transaction ends, which has run for a while',
      );
    }
    return page;
  };
}

/** Whether a filter wants an event. A condition that is null or absent accepts every event. */
export function isWanted(
  { types, visibility, status, requesterId }: DeskEventFilter,
  event: DeskEvent,
): boolean {
  return (
    (types == null || types.includes(shownEventType(event.type))) &&
    (visibility == null || visibility === event.visibility) &&
    (status == null || status === event.status) &&
    (requesterId == null || requesterId === event.requesterId)
  );
}

/** Whether a filter has no condition, so that it wants every event. */
export const wantsAll = (filter: DeskEventFilter): boolean =>
  Object.values(filter).every((condition) => condition == null);
