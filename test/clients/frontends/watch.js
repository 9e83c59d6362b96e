/* Watching a ticket through restarts of the gateway, with graphql-sse. */
import { createClient } from 'graphql-sse';

const subscription = `subscription Watch($ticket: TicketSelector!, $after: String) {
  ticketEvents(ticket: $ticket, after: $after) { cursor type ticketMessage { id bodyText } }
}`;

/**
 * @param after cursor of the page that is shown: `ticket.cursor`, or a payload's; without it, all events come
 * @returns a function that stops it
 */
export function watchTicket({ url, authorization, ticket, after, onEvent, onError }) {
  let last = after;
  const client = createClient({
    url,
    // After a lost connection the gateway continues after this cursor: nothing is missed or seen twice.
    headers: () => ({ authorization, ...(last && { 'last-event-id': last }) }),
    retryAttempts: Number.POSITIVE_INFINITY,
  });
  return client.subscribe(
    { query: subscription, variables: { ticket, after } },
    {
      next({ data, errors }) {
        if (errors) return onError(errors);
        last = data.ticketEvents.cursor;
        onEvent(data.ticketEvents);
      },
      error: onError,
      // The gateway completes a stream only when the viewer may no longer see the ticket.
      complete: () => {},
    },
  );
}
