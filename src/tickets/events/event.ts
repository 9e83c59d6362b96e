import type { Viewer } from '../../platform/request-context.ts';
import type { EventType, Visibility } from '../../platform/vocabulary.ts';

/** An event of a ticket. */
export interface TicketEvent {
  readonly ticketId: number;
  /** Marks this event in the list that it was read from, for viewers who see the same events. */
  readonly cursor: string;
  readonly type: EventType;
  readonly visibility: Visibility;
  /** User who caused it; null for the gateway itself. */
  readonly actorId: number | null;
  readonly messageId: number | null;
  readonly deliveryId: number | null;
  readonly createdAt: Date;
  /** The events that the same statement read, this one among them, in the order in which they are shown. */
  readonly readWith: readonly TicketEvent[];
}

/** An event as a watcher receives it. */
export interface SeenEvent {
  readonly event: TicketEvent;
  /** The watcher with current permissions, which apply to the event's fields. */
  readonly viewer: Viewer;
  /** The events that were read together with this one, which is `page[at]`. */
  readonly page: readonly TicketEvent[];
  readonly at: number;
}

/** Most events per query. A watcher that is further behind queries again. */
export const pageSize = 100;

/** The problem of a cursor that is later than the last event. @param list `this desk` or `this ticket` */
export const aheadOf = (list: string): string =>
  `"after" is ahead of ${list}, which may have been restored from an older backup: start without a cursor`;
