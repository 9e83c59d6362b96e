/* Apollo Client 4. */
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache } from '@apollo/client';
import { CombinedGraphQLErrors } from '@apollo/client/errors';
import { RetryLink } from '@apollo/client/link/retry';
import { relayStylePagination } from '@apollo/client/utilities';
import { map } from 'rxjs';

/** RetryLink retries what is thrown. A 503 with a GraphQL body is a result to it, so it is thrown here. */
const throwUnavailable = new ApolloLink((operation, forward) =>
  forward(operation).pipe(
    map((result) => {
      const isAway = result.errors?.some(({ extensions }) => extensions?.code === 'UNAVAILABLE');
      if (isAway) throw new CombinedGraphQLErrors(result);
      return result;
    }),
  ),
);

export function createApollo({ url, authorization, possibleTypes }) {
  const retry = new RetryLink({
    attempts: {
      max: 5,
      // Without an answer, busy (429) or away (502 to 504). Give mutations an idempotencyKey in their input.
      retryIf: ({ statusCode }) => statusCode === undefined || [429, 502, 503, 504].includes(statusCode),
    },
  });
  return new ApolloClient({
    // Subscriptions need nothing more: HttpLink asks for multipart/mixed, which the gateway speaks.
    link: ApolloLink.from([retry, throwUnavailable, new HttpLink({ uri: url, headers: { authorization } })]),
    cache: new InMemoryCache({
      // Without it `... on UserError` matches nothing when an answer is read from the cache.
      possibleTypes,
      typePolicies: { Ticket: { fields: { messages: relayStylePagination() } } },
    }),
  });
}
