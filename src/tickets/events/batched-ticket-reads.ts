import type { ViewerReads } from '../../db/reads/viewer-reads.ts';
import { createBatcher } from '../../platform/batcher.ts';
import { mayBeOfOneRow } from '../../platform/database-faults.ts';
import { pageSize } from './event.ts';
import { readTicketEvents } from './read-ticket-events.ts';
import type { BatchedTicketRead, EventAudience, TicketPage, TicketPlace } from './ticket-position.ts';

/** Tickets in one statement, and events that it reads, at most. */
const ticketsAtOnce = 200;
const eventsAtOnce = 2000;

interface OfAudience {
  readonly read: (place: TicketPlace) => Promise<TicketPage>;
  /** Reads that have not ended. */
  count: number;
}

/**
 * Creates the function by which all watchers of tickets in this process read. A statement reads up to 200
 * tickets and 2,000 events, so a page may have fewer than 100 events while its `more` is true. When a
 * statement fails, all reads that it answers reject; but one that the server rejects, perhaps because a
 * ticket's rows are damaged, is repeated for each ticket by itself. Up to two statements of an audience run
 * at a time.
 */
export function createBatchedTicketRead(services: { readonly database: ViewerReads }): BatchedTicketRead {
  const audiences = new Map<string, OfAudience>();

  function begin(audience: EventAudience, name: string): OfAudience {
    const read = createBatcher<TicketPlace, TicketPage>(
      (places) => {
        const limit = Math.min(pageSize, Math.floor(eventsAtOnce / places.length));
        return readTicketEvents(services, audience, places, limit);
      },
      { maxItems: ticketsAtOnce, atOnce: 2, mayBeOfOne: mayBeOfOneRow },
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
