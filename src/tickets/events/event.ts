import type { Viewer } from '../../platform/request-context.ts';
import type { EventType, Visibility } from '../../platform/vocabulary.ts';

/** An event of a ticket. */
export interface TicketEvent {
  readonly ticketId: number;
  /** Marks this event in the list that it was read from, for viewers of the same class. */
  readonly cursor: string;
  readonly type: EventType;
  readonly visibility: Visibility;
  readonly actorId: number | null;
  readonly messageId: number | null;
  readonly deliveryId: number | null;
  readonly createdAt: Date;
}

/** An event as its watcher receives it. */
export interface SeenEvent {
  readonly event: TicketEvent;
  /** The watcher as currently authorized, whose permissions apply to the event's fields. */
  readonly viewer: Viewer;
  /**
   * This event and what its watcher receives next, if that was read for this watcher alone. Undefined: other
   * watchers receive the same event.
   */
  readonly next: readonly TicketEvent[] | undefined;
}

/** Events per query. A watcher that is further behind queries again. */
export const pageSize = 100;
