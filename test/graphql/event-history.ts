import { between } from '../crash/support/random.ts';
import { openStream } from '../support/event-stream.ts';

/* A random history of tickets, and watchers who leave and come back while it is written. */

export interface SeenInHistory {
  readonly cursor: string;
  readonly type: string;
  readonly visibility: string;
  readonly ticket: { readonly ticketId: number } | null;
  readonly ticketMessage: { readonly messageId: number; readonly body: string } | null;
}

export interface HistoryWatcher {
  readonly field: 'ticketEvents' | 'deskEvents';
  /** Which ticket, for `ticketEvents`. */
  readonly ticketId?: number;
  readonly authorization: string;
  /** Where it begins; at the first event without it. */
  readonly after?: string;
}

interface WatchPorts {
  readonly random: () => number;
  /** The gateway to connect to this time. */
  readonly url: () => string;
  /** Whether this was the last event to wait for. */
  readonly isLast: (seen: SeenInHistory) => boolean;
  readonly signal: AbortSignal;
  /** Resolves when more has been written: a watcher who is refused tries again then. */
  readonly moreWritten: () => Promise<unknown>;
}

const fields = 'cursor type visibility ticket { ticketId } ticketMessage { messageId body }';

/**
 * Watches until the last event, and breaks off after a few events each time. It resumes with Last-Event-ID,
 * as a browser does.
 */
export async function watchHistory(
  { field, ticketId, authorization, after }: HistoryWatcher,
  { random, url, isLast, signal, moreWritten }: WatchPorts,
): Promise<SeenInHistory[]> {
  const seen: SeenInHistory[] = [];
  const of = ticketId === undefined ? '' : `ticket: { ticketId: ${ticketId} }, `;
  const query = `subscription ($after: String) { ${field}(${of}after: $after) { ${fields} } }`;
  while (!signal.aborted) {
    const last = seen.at(-1)?.cursor;
    const headers = { authorization, ...(last !== undefined && { 'last-event-id': last }) };
    try {
      const stream = await openStream(url(), { query, variables: { after } }, headers);
      const leave = () => stream.leave();
      signal.addEventListener('abort', leave);
      const patience = between(random, 1, 6);
      for (let n = 0; n < patience; n += 1) {
        const told = (await stream.next())?.data;
        const event = told?.data?.[field] as SeenInHistory | undefined;
        if (event == null) {
          await moreWritten();
          break;
        }
        seen.push(event);
        if (!isLast(event)) continue;
        leave();
        return seen;
      }
      leave();
      signal.removeEventListener('abort', leave);
    } catch {
      // Cut, refused by a gateway that starts, or the end of the test.
    }
  }
  return seen;
}
