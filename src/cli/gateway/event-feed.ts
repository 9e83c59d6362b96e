import type { TicketSelector } from '../../tickets/ticket-selector.ts';
import type { GatewayClient } from './client.ts';
import type { EventStream } from './subscribe.ts';

const fields = `cursor type visibility at actor { name } ticket { ticketId reference status }
  ticketMessage { messageId } delivery { id state }`;

/** The fields of an event that the filters and the cursor need. Printed events have more. */
export interface ListedEvent {
  readonly cursor: string;
  readonly type: string;
  readonly visibility: string;
  /** The ticket as it is now; null when the viewer may not see it any more. */
  readonly ticket: { readonly status: string } | null;
}
/** Some events, oldest first. */
export interface EventPage {
  /**
   * The cursor to read the next page from. On a page without events, it is not before the cursor that the
   * page was read from; undefined when that was undefined and the ticket has no events.
   */
  readonly cursor: string | undefined;
  /** Whether there may be more events now. */
  readonly hasMore: boolean;
  readonly events: readonly ListedEvent[];
}
/** Which events to print, as the API's `DeskEventFilter`. An absent condition allows all. */
export interface EventFilter {
  readonly types?: readonly string[];
  readonly visibility?: string;
  readonly status?: string;
}

/**
 * The events of all tickets or of one, from the gateway: pages of past events, and a subscription. Cursors of
 * one feed are not valid in another.
 */
export interface EventFeed {
  /** The cursor after which only events from now on follow. @throws CommandError */
  now(): Promise<string>;
  /** Reads the page after a cursor; from the first event on for undefined. @throws CommandError */
  readPage(after: string | undefined): Promise<EventPage>;
  /**
   * Subscribes to the events after a cursor, and yields them as they happen. For undefined: to all events of
   * a ticket, or to those of the desk from now on. Ends and throws as `EventStream` does.
   */
  watch(after: string | undefined, signal: AbortSignal): AsyncGenerator<ListedEvent>;
  /** Whether an event that was read or watched meets the filter, and so is to be printed. */
  wants(event: ListedEvent): boolean;
}

const deskPage = /* GraphQL */ `query Events($after: String, $filter: DeskEventFilter) {
  deskEvents(after: $after, filter: $filter) { cursor hasMore events { ${fields} } }
}`;
const deskSubscription = /* GraphQL */ `subscription Follow($after: String, $filter: DeskEventFilter) {
  deskEvents(after: $after, filter: $filter) { ${fields} }
}`;

/** The events of all tickets, for operators. The gateway filters them. */
export const deskFeed = (gateway: GatewayClient, stream: EventStream, filter: EventFilter): EventFeed => ({
  now: () => gateway.execute<string & object>('{ deskCursor }', {}),
  readPage: (after) => gateway.execute<EventPage>(deskPage, { after, filter }),
  watch: (after, signal) => stream<ListedEvent>(deskSubscription, { after, filter }, signal),
  wants: () => true,
});

const ticketCursor = /* GraphQL */ `query Now($ticket: TicketSelector!) { ticket(by: $ticket) { cursor } }`;
const ticketPage = /* GraphQL */ `query Events($ticket: TicketSelector!, $after: String, $first: Int!) {
  ticketEvents(ticket: $ticket, after: $after, first: $first) { ${fields} }
}`;
const ticketSubscription = /* GraphQL */ `subscription Follow($ticket: TicketSelector!, $after: String) {
  ticketEvents(ticket: $ticket, after: $after) { ${fields} }
}`;
/** The largest page that the gateway returns. */
const pageSize = 100;

/** The events of one ticket, for all who may see it. They are filtered here, because the API does not. */
export const ticketFeed = (
  gateway: GatewayClient,
  stream: EventStream,
  ticket: TicketSelector,
  filter: EventFilter,
): EventFeed => ({
  now: async () => (await gateway.execute<{ cursor: string }>(ticketCursor, { ticket })).cursor,
  async readPage(after) {
    const variables = { ticket, after, first: pageSize };
    const events = await gateway.execute<readonly ListedEvent[]>(ticketPage, variables);
    return { events, cursor: events.at(-1)?.cursor ?? after, hasMore: events.length === pageSize };
  },
  watch: (after, signal) => stream<ListedEvent>(ticketSubscription, { ticket, after }, signal),
  wants: ({ type, visibility, ticket: its }) =>
    (filter.types?.includes(type) ?? true) &&
    (filter.visibility ?? visibility) === visibility &&
    (filter.status ?? its?.status) === its?.status,
});
