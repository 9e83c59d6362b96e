import type { TicketSelector } from '../../tickets/ticket-selector.ts';
import type { GatewayClient } from './client.ts';
import type { EventStream } from './stream.ts';

const fields = `cursor type visibility at actor { name } ticket { ticketId reference status }
  ticketMessage { messageId } delivery { id state }`;

/** An event, as far as it is looked at here. */
export interface ListedEvent {
  readonly cursor: string;
  readonly type: string;
  readonly visibility: string;
  readonly ticket: { readonly status: string } | null;
}
/** Some events, oldest first. */
export interface EventPage {
  /** The cursor behind them; undefined if nothing has happened yet. */
  readonly cursor: string | undefined;
  readonly hasMore: boolean;
  readonly events: readonly ListedEvent[];
}
/** Which events to print, as the API's `DeskEventFilter`. */
export interface EventFilter {
  readonly types?: readonly string[];
  readonly visibility?: string;
  readonly status?: string;
}

/** Where events come from. */
export interface EventSource {
  /** The cursor behind everything that has happened. */
  now(): Promise<string>;
  /** The next events after a cursor, or from the first one. */
  readPage(after: string | undefined): Promise<EventPage>;
  /** Events as they happen. Ends as `EventStream` does. */
  watch(after: string | undefined, signal: AbortSignal): AsyncGenerator<ListedEvent>;
  /** Whether an event meets the filter. */
  wants(event: ListedEvent): boolean;
}

const deskPage = /* GraphQL */ `query Events($after: String, $filter: DeskEventFilter) {
  deskEvents(after: $after, filter: $filter) { cursor hasMore events { ${fields} } }
}`;
const deskSubscription = /* GraphQL */ `subscription Follow($after: String, $filter: DeskEventFilter) {
  deskEvents(after: $after, filter: $filter) { ${fields} }
}`;

/** The events of all tickets, for operators. The gateway filters them. */
export const deskSource = (
  gateway: GatewayClient,
  stream: EventStream,
  filter: EventFilter,
): EventSource => ({
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

/** The events of one ticket, for whoever may see it. They are filtered here: the API does not. */
export const ticketSource = (
  gateway: GatewayClient,
  stream: EventStream,
  ticket: TicketSelector,
  filter: EventFilter,
): EventSource => ({
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
