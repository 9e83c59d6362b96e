/* The default requests of the clients that people use, as they send them (November 2026). */

export interface Asked {
  readonly query: string;
  readonly variables?: object;
  readonly operationName?: string | undefined;
}
export interface Client {
  readonly headers: Readonly<Record<string, string>>;
  /** The JSON body of a request. */
  body(asked: Asked): string;
}

const body = ({ query, variables, operationName }: Asked) =>
  JSON.stringify({ query, variables, operationName });
const named = ({ query, variables, operationName }: Asked) =>
  JSON.stringify({ operationName, query, variables });

export const clients = {
  curl: { headers: { 'user-agent': 'curl/8.5.0', accept: '*/*', 'content-type': 'application/json' }, body },
  'Node fetch': {
    headers: {
      ...{ accept: '*/*', 'accept-language': '*', 'sec-fetch-mode': 'cors', 'user-agent': 'node' },
      ...{ 'accept-encoding': 'gzip, deflate', 'content-type': 'application/json' },
    },
    body,
  },
  'Apollo Client 4': {
    headers: {
      accept: 'application/graphql-response+json,application/json;q=0.9',
      'content-type': 'application/json',
    },
    body: ({ query, variables = {}, operationName }) =>
      JSON.stringify({
        operationName,
        variables,
        extensions: { clientLibrary: { name: '@apollo/client', version: '4.0.9' } },
        query,
      }),
  },
  'urql 6': {
    headers: {
      accept:
        'application/graphql-response+json, application/graphql+json, application/json, ' +
        'text/event-stream, multipart/mixed',
      'content-type': 'application/json',
    },
    body: named,
  },
  axios: {
    headers: {
      ...{ accept: 'application/json, text/plain, */*', 'content-type': 'application/json' },
      ...{ 'user-agent': 'axios/1.12.2', 'accept-encoding': 'gzip, compress, deflate, br' },
    },
    body,
  },
  Relay: {
    headers: {
      accept: 'application/graphql-response+json; charset=utf-8, application/json; charset=utf-8',
      'content-type': 'application/json',
    },
    // Of Relay's own network layer in its documents: the id of a stored operation goes along, null without
    // one.
    body: ({ query, variables = {}, operationName }) =>
      JSON.stringify({ query, variables, operationName, id: null }),
  },
  'graphql-request': {
    headers: {
      accept: 'application/graphql-response+json, application/json',
      'content-type': 'application/json',
    },
    body: named,
  },
} as const satisfies Record<string, Client>;
