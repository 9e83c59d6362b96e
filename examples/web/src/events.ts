import { createClient as createEventClient } from 'graphql-sse';
import { type SubscriptionForwarder, subscriptionExchange } from 'urql';

/** The longest wait before a lost connection is opened again. */
const longestWaitMs = 15_000;

/** What this page's subscriptions return: one root field, whose events have a cursor each. */
type Events = Record<string, { cursor: string }>;

/** Subscriptions over Server-Sent Events. After a lost connection they resume after the last cursor. */
export const eventsExchange = (authorization: string) =>
  subscriptionExchange({ forwardSubscription: watchWith(authorization) });

const watchWith =
  (authorization: string): SubscriptionForwarder =>
  ({ query, variables }) => ({
    subscribe(sink) {
      let last: string | undefined;
      const client = createEventClient({
        url: '/graphql',
        headers: () => ({ authorization, ...(last === undefined ? {} : { 'last-event-id': last }) }),
        retryAttempts: Number.POSITIVE_INFINITY,
        retry: (tried) => wait(Math.min(1000 * 2 ** tried, longestWaitMs)),
      });
      const unsubscribe = client.subscribe<Events>(
        { query: query!, variables },
        {
          next(result) {
            last = Object.values(result.data ?? {})[0]?.cursor ?? last;
            // The two packages type `extensions` and the errors' places differently.
            sink.next({ data: result.data, errors: result.errors?.map(({ message }) => ({ message })) });
          },
          error: (error) => sink.error(error),
          complete: () => sink.complete(),
        },
      );
      return { unsubscribe };
    },
  });

const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
