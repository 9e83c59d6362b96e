/* graphql-request 7. */
import { GraphQLClient } from 'graphql-request';

export const createRequestClient = ({ url, authorization }) =>
  new GraphQLClient(url, {
    headers: { authorization },
    // 'all' returns the data as well as the errors, each with its path. By default the errors are thrown.
    errorPolicy: 'all',
  });
