import { firstStorable, lastStorable } from '../../platform/instants.ts';
import type { Viewer } from '../../platform/request-context.ts';
import type { EventType, Visibility } from '../../platform/vocabulary.ts';

/** An event of a ticket. */
export interface TicketEvent {
  readonly ticketId: number;
  /**
   * Cursor of this event in the list that it was read from: the desk's, or its ticket's for operators or
   * requesters. Another list does not accept it.
   */
  readonly cursor: string;
  readonly type: EventType;
  readonly visibility: Visibility;
  /** User who caused it; null for the gateway itself. */
  readonly actorId: number | null;
  /** The message that it is about, if any. */
  readonly messageId: number | null;
  /** The delivery that it is about, if any. */
  readonly deliveryId: number | null;
  readonly createdAt: Date;
  /**
   * The events that the same statement read, perhaps of several tickets, this one among them. What belongs to
   * them can be loaded together.
   */
  readonly readWith: readonly TicketEvent[];
}

/** An event as a watcher receives it. */
export interface WatchedEvent {
  readonly event: TicketEvent;
  /** The watcher with current permissions, which apply to the event's fields. */
  readonly viewer: Viewer;
  /** Those of the events that were read together that this watcher wants. This one is `page[at]`. */
  readonly page: readonly TicketEvent[];
  /** Index of this event in `page`. */
  readonly at: number;
}

/**
 * The time of an event as the database returns it, in milliseconds since 1970. A damaged one that no text can
 * show, such as infinity, becomes the last instant of the year 9999 or the first of the year 1, so that it
 * does not keep its page from being shown.
 */
export const eventTime = (ms: number): Date => new Date(Math.max(firstStorable, Math.min(lastStorable, ms)));

/** Most events of a page. A watcher that is further behind reads several pages. */
export const pageSize = 100;

/** The text of the problem of a cursor after the last event. @param list `this desk` or `this ticket` */
export const aheadOf = (list: string): string =>
  `"after" is ahead of ${list}, which may have been restored from an older backup: start without a cursor`;
