import type { Page } from '../../events/recent-events.ts';
import type { Viewer } from '../../platform/request-context.ts';
import type { TicketEvent } from './event.ts';

/** Viewers who see the same events of a ticket: all operators, or its requester. */
export interface EventAudience {
  /**
   * True: operators, who see all events. False: a requester, who sees the public ones. Each audience numbers,
   * without gaps, the events that it sees.
   */
  readonly byOperators: boolean;
  /** One of the viewers. Their id matters only for a requester. */
  readonly viewer: Viewer;
}

/** A position in a ticket's events. Both numbers are 0 at the beginning. */
export interface TicketPosition {
  /** Number of the last event before the position, as the audience counts. */
  readonly number: number;
  /**
   * Number, as operators count, up to which the events have been read; 0 if that is not known. A requester
   * does not see all events up to it.
   */
  readonly through: number;
}

/** A ticket, and a position in its events. */
export interface TicketPlace extends TicketPosition {
  readonly ticketId: number;
}

/**
 * An event with its own numbers: `number` as its audience counts, and `through` as operators count. Within
 * the ticket they follow the order of commits, and `number` has no gaps.
 */
export interface NumberedEvent extends TicketEvent, TicketPosition {}

/** A page of one ticket's events. */
export type TicketPage = Page<NumberedEvent, TicketPosition>;

/**
 * Reads the page of a ticket's events after a place, for those who watch it. One statement reads all pages
 * that are requested in the same turn of the event loop, or while reads for the same audience are under way:
 * thousands of tickets may change, or be watched again, in the same moment.
 */
export type BatchedTicketRead = (audience: EventAudience, place: TicketPlace) => Promise<TicketPage>;
