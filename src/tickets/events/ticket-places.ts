import type { Page } from '../../events/recent-events.ts';
import type { Viewer } from '../../platform/request-context.ts';
import type { TicketEvent } from './event.ts';

/** Viewers who see the same events of a ticket: all operators, or its requester. */
export interface EventAudience {
  /** Whether events have the operators' numbers. Both numberings have no gaps for their audience. */
  readonly byOperators: boolean;
  /** The viewer, whose id matters only for a requester. */
  readonly viewer: Viewer;
}

/** A position in a ticket's events. */
export interface TicketPosition {
  /** Number of the last event before the position, as the audience counts. */
  readonly number: number;
  /**
   * Last event number, as operators count, that has been read. A requester may not see all events up to it.
   */
  readonly through: number;
}

/** A ticket, and a position in its events. */
export interface TicketPlace extends TicketPosition {
  readonly ticketId: number;
}

/**
 * An event with its numbers. They have no gaps within the ticket among the events that its
 * audience sees, and follow the order of commits.
 */
export interface NumberedEvent extends TicketEvent, TicketPosition {}

/** A page of one ticket's events. */
export type TicketPage = Page<NumberedEvent, TicketPosition>;

/**
 * Reads a page of a ticket's events for those who watch it. What is asked for in the same turn of the event
 * loop, or while a read for the same audience is under way, is read by one statement: thousands of tickets
 * may change, or be watched again, in the same moment.
 */
export type ReadTogether = (audience: EventAudience, place: TicketPlace) => Promise<TicketPage>;
