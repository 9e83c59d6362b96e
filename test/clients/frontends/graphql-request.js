/* graphql-request 7. */
import { GraphQLClient } from 'graphql-request';

export const createRequestClient = ({ url, authorization }) =>
  new GraphQLClient(url, {
    headers: { authorization },
    // 'all' returns what there is beside the errors, each with its path. By default it throws them.
    errorPolicy: 'all',
  });
