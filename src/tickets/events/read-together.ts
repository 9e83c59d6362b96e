import type { Page } from '../../events/feed.ts';
import { createBatcher } from '../../platform/batcher.ts';
import type { TicketServices } from '../context.ts';
import { pageSize } from './event.ts';
import {
  type EventAudience,
  type NumberedEvent,
  readTicketEvents,
  type TicketPlace,
  type TicketPosition,
} from './read-ticket-events.ts';

/** Tickets in one statement, and events that it reads, at most. */
const ticketsAtOnce = 200;
const eventsAtOnce = 2000;

type TicketPage = Page<NumberedEvent, TicketPosition>;

/**
 * Reads a page of a ticket's events for those who watch it. What is asked for in the same turn of the event
 * loop, or while a read for the same audience is under way, is read by one statement: thousands of tickets
 * may change, or be watched again, in the same moment.
 */
export type ReadTogether = (audience: EventAudience, place: TicketPlace) => Promise<TicketPage>;

interface OfAudience {
  readonly read: (place: TicketPlace) => Promise<TicketPage>;
  /** Reads that have not ended. */
  count: number;
}

/** Creates the function that reads for all watchers of this process. */
export function createReadTogether(services: Pick<TicketServices, 'database'>): ReadTogether {
  const audiences = new Map<string, OfAudience>();

  function begin(audience: EventAudience, name: string): OfAudience {
    const read = createBatcher<TicketPlace, TicketPage>(
      (places) => {
        const limit = Math.min(pageSize, Math.floor(eventsAtOnce / places.length));
        return readTicketEvents(services, audience, places, limit);
      },
      { maxItems: ticketsAtOnce, atOnce: 2 },
    );
    const begun = { read, count: 0 };
    audiences.set(name, begun);
    return begun;
  }

  return async (audience, place) => {
    const name = audience.byOperators ? 'operators' : `requester ${audience.viewer.userId}`;
    const known = audiences.get(name) ?? begin(audience, name);
    known.count += 1;
    try {
      return await known.read(place);
    } finally {
      known.count -= 1;
      if (known.count === 0) audiences.delete(name);
    }
  };
}
