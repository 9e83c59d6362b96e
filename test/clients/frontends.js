import { createServer, request } from 'node:http';
import { gql } from '@apollo/client';
import { getIntrospectionQuery } from 'graphql';
import { fetchQuery } from 'relay-runtime';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { asOperator, startGateway } from '../support/gateway.ts';
import { createApollo } from './frontends/apollo.js';
import { createDesk } from './frontends/fetch.js';
import { createRequestClient } from './frontends/graphql-request.js';
import { readPossibleTypes } from './frontends/possible-types.js';
import { createRelay } from './frontends/relay.js';
import { createUrql } from './frontends/urql.js';
import { watchTicket } from './frontends/watch.js';
import page from './relay/.made/deskPageQuery.graphql.js';

/* Each client, set up as in docs/FRONTENDS.md. test/docs checks that the document has these files. */

let gateway;
let to;
beforeAll(async () => {
  gateway = await startGateway({ env: { ROLES: 'web' } });
  to = { url: `${gateway.url}/graphql`, authorization: asOperator };
});
afterAll(() => gateway?.[Symbol.asyncDispose]());

const add = `mutation Add($input: AddTicketMessageInput!) { addTicketMessage(input: $input) { __typename
  ... on AddTicketMessagePayload { replayed cursor ticketMessage { id bodyText attachments { fileName } }
    ticket { id messageCount } }
  ... on UserError { code message path } } }`;
const messages = `query Messages($first: Int!, $after: String) { ticket(by: { ticketId: 46 }) {
  id messageCount
  messages(first: $first, after: $after) {
    edges { node { id bodyText } } pageInfo { hasNextPage endCursor } } } }`;
const inputOf = (body, more) => ({ input: { ticket: { ticketId: 46 }, body, ...more } });

/** A proxy that answers the first calls with 503, after passing them on to the gateway or without. */
async function startBusyDoor(refusals) {
  const server = createServer((req, res) => {
    if (refusals.shift() !== undefined) {
      const away = { message: 'The desk is away.', extensions: { code: 'UNAVAILABLE' } };
      const headers = { 'retry-after': '0.01', 'content-type': 'application/graphql-response+json' };
      return res.writeHead(503, headers).end(JSON.stringify({ errors: [away] }));
    }
    const { hostname, port } = new URL(gateway.url);
    const options = { hostname, port, path: req.url, method: req.method, headers: req.headers };
    req.pipe(request(options, (answer) => answer.pipe(res.writeHead(answer.statusCode, answer.headers))));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    to: { ...to, url: `http://127.0.0.1:${server.address().port}/graphql` },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test('fetch: a refusal is data, a retry with a key adds one message, a file goes by itself', async () => {
  const desk = createDesk(to);
  expect((await desk.ask(add, inputOf(' '))).addTicketMessage).toMatchObject({
    code: 'INVALID_INPUT',
    path: ['body'],
  });
  await expect(desk.ask('{ nothing }')).rejects.toThrow('nothing');
  await using busy = await startBusyDoor([1, 2]);
  const variables = inputOf('once', { idempotencyKey: 'fetch-1' });
  const first = await createDesk(busy.to).askSafely(add, variables);
  const again = await desk.askSafely(add, variables);
  expect(again.addTicketMessage).toEqual({ ...first.addTicketMessage, replayed: true });
  const upload = await desk.upload(new File(['bytes'], 'příloha.txt', { type: 'text/plain' }));
  const { addTicketMessage } = await desk.ask(add, inputOf('with a file', { attachments: [{ upload }] }));
  expect(addTicketMessage.ticketMessage.attachments).toEqual([{ fileName: 'příloha.txt' }]);
});

test('Apollo: unions by possibleTypes from the cache too, pages joined, retried', async () => {
  const possibleTypes = await readPossibleTypes(createDesk(to).ask);
  expect(possibleTypes.UserError).toContain('InvalidInputError');
  await using busy = await startBusyDoor([1]);
  const client = createApollo({ ...busy.to, possibleTypes });
  const refused = await client.mutate({ mutation: gql(add), variables: inputOf(' ') });
  expect(refused.data.addTicketMessage).toMatchObject({
    __typename: 'InvalidInputError',
    code: 'INVALID_INPUT',
  });
  const shown = { query: gql(messages), variables: { first: 1 } };
  const { endCursor } = (await client.query(shown)).data.ticket.messages.pageInfo;
  const watched = client.watchQuery(shown);
  const subscription = watched.subscribe({});
  await watched.fetchMore({ variables: { after: endCursor } });
  await expect.poll(() => watched.getCurrentResult().data.ticket.messages.edges.length).toBe(2);
  subscription.unsubscribe();
  client.stop();
});

test('urql: unions by the schema, pages joined, a new message shown, retried', async () => {
  const schema = await createDesk(to).ask(getIntrospectionQuery());
  await using busy = await startBusyDoor([1]);
  const client = createUrql({ ...busy.to, schema });
  const variables = { first: 100 };
  const before = (await client.query(messages, variables).toPromise()).data.ticket;
  const refused = await client.mutation(add, inputOf(' ')).toPromise();
  expect(refused.data.addTicketMessage).toMatchObject({
    __typename: 'InvalidInputError',
    code: 'INVALID_INPUT',
  });
  await client.mutation(add, inputOf('for urql')).toPromise();
  const after = (await client.query(messages, variables).toPromise()).data.ticket;
  expect(after.messages.edges.map(({ node }) => node.bodyText)).toEqual([
    ...before.messages.edges.map(({ node }) => node.bodyText),
    'for urql',
  ]);
});

test('graphql-request: what there is beside the errors', async () => {
  const client = createRequestClient(to);
  const data = await client.request(add, inputOf('for graphql-request'));
  expect(data.addTicketMessage.__typename).toBe('AddTicketMessagePayload');
});

test('Relay: a page', async () => {
  const environment = createRelay(to);
  const { ticket } = await fetchQuery(environment, page, { by: { ticketId: 46 }, count: 1 }).toPromise();
  expect(ticket.id).toBeTruthy();
});

test('watching goes on behind the cursor', async () => {
  const desk = createDesk(to);
  const { cursor } = (await desk.ask(add, inputOf('before'))).addTicketMessage;
  await desk.ask(add, inputOf('missed'));
  const seen = [];
  const both = Promise.withResolvers();
  const stop = watchTicket({
    ...{ ...to, ticket: { ticketId: 46 }, after: cursor, onError: both.reject },
    onEvent(event) {
      seen.push(event.ticketMessage.bodyText);
      if (seen.length === 1) desk.ask(add, inputOf('live')).catch(both.reject);
      if (seen.length === 2) both.resolve();
    },
  });
  await both.promise;
  stop();
  expect(seen).toEqual(['missed', 'live']);
});
