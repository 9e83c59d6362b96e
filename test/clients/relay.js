import { createClient } from 'graphql-sse';
import {
  ConnectionHandler,
  commitMutation,
  createOperationDescriptor,
  Environment,
  fetchQuery,
  getRequest,
  getSingularSelector,
  Network,
  Observable,
  RecordSource,
  requestSubscription,
  Store,
} from 'relay-runtime';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { asOperator, asRequester, startGateway } from '../support/gateway.ts';
import add from './relay/.made/deskAddMutation.graphql.js';
import caught from './relay/.made/deskCaughtQuery.graphql.js';
import watch from './relay/.made/deskEventsSubscription.graphql.js';
import messages from './relay/.made/deskMessages_ticket.graphql.js';
import pagination from './relay/.made/deskMessagesPaginationQuery.graphql.js';
import page from './relay/.made/deskPageQuery.graphql.js';
import thrown from './relay/.made/deskThrownQuery.graphql.js';

/* Relay's runtime with what its compiler made of relay/desk.js and the printed schema. */

let gateway;
beforeAll(async () => {
  gateway = await startGateway({ env: { ROLES: 'web' } });
  for (const n of [1, 2, 3, 4, 5]) await say(`${n} for Relay`);
});
afterAll(() => gateway[Symbol.asyncDispose]());

const ticket = { ticketId: 46 };
const say = (body) =>
  gateway.graphql(
    'mutation ($input: AddTicketMessageInput!) { addTicketMessage(input: $input) { __typename } }',
    { input: { ticket, body } },
  );

/** The network layers of Relay's and graphql-sse's own documents. */
function environmentOf(authorization) {
  const url = `${gateway.url}/graphql`;
  const ask = async ({ text }, variables) => {
    const headers = { 'Content-Type': 'application/json', authorization };
    const body = JSON.stringify({ query: text, variables });
    return (await fetch(url, { method: 'POST', headers, body })).json();
  };
  const events = createClient({ url, headers: { authorization } });
  const subscribe = ({ text, name }, variables) =>
    Observable.create((sink) =>
      events.subscribe({ operationName: name, query: text, variables }, bound(sink)),
    );
  return new Environment({
    network: Network.create(ask, subscribe),
    store: new Store(new RecordSource()),
  });
}
const bound = ({ next, error, complete }) => ({ next, error, complete });

/** What a component that uses the fragment would be given now. */
const messagesIn = (environment, of) => environment.lookup(getSingularSelector(messages, of)).data.messages;
const textsIn = (environment, of) => messagesIn(environment, of).edges.map(({ node }) => node.bodyText);

async function openPage(count) {
  const environment = environmentOf(asOperator);
  const operation = createOperationDescriptor(getRequest(page), { by: ticket, count });
  // Kept, as a component that is mounted keeps it.
  environment.retain(operation);
  const data = await fetchQuery(environment, page, { by: ticket, count }).toPromise();
  return { environment, of: data.ticket };
}

/** As `loadNext` of usePaginationFragment asks. */
async function loadNext(environment, of, count) {
  const { endCursor } = messagesIn(environment, of).pageInfo;
  await fetchQuery(environment, pagination, { id: of.id, count, cursor: endCursor }).toPromise();
}

test('a connection is paged to its end, each row once and in order', async () => {
  const { environment, of } = await openPage(2);
  while (messagesIn(environment, of).pageInfo.hasNextPage) await loadNext(environment, of, 2);
  const { data } = await gateway.graphql(
    '{ ticket(by: {ticketId: 46}) { messages(first: 100) { nodes { bodyText } } } }',
  );
  const expected = data.ticket.messages.nodes.map(({ bodyText }) => bodyText);
  expect(expected.length).toBeGreaterThan(4);
  expect(textsIn(environment, of)).toEqual(expected);
});

const mutate = (environment, variables) =>
  new Promise((resolve, reject) => {
    commitMutation(environment, {
      mutation: add,
      variables,
      onCompleted: (response, errors) => resolve({ response, errors }),
      onError: reject,
    });
  });

test('a message is appended to its page by @appendEdge, and a refusal appends nothing', async () => {
  const { environment, of } = await openPage(100);
  const before = textsIn(environment, of);
  const connections = [ConnectionHandler.getConnectionID(of.id, 'desk_messages')];
  const { response } = await mutate(environment, { input: { ticket, body: 'appended' }, connections });
  expect(response.addTicketMessage.__typename).toBe('AddTicketMessagePayload');
  expect(textsIn(environment, of)).toEqual([...before, 'appended']);
  // The cursor of the new edge is one of the list: the next page begins behind it.
  await say('behind it');
  const { cursor } = response.addTicketMessage.ticketMessageEdge;
  const { data } = await gateway.graphql(
    `query ($after: String!) {
      ticket(by: {ticketId: 46}) { messages(after: $after) { nodes { bodyText } } } }`,
    { after: cursor },
  );
  expect(data.ticket.messages.nodes).toEqual([{ bodyText: 'behind it' }]);
  // Relay asks for what is behind the page that it loaded, and knows the appended edge when it comes again.
  await loadNext(environment, of, 10);
  expect(textsIn(environment, of)).toEqual([...before, 'appended', 'behind it']);
  const refused = await mutate(environment, { input: { ticket, body: ' ' }, connections });
  expect(refused.response.addTicketMessage).toEqual({
    __typename: 'InvalidInputError',
    code: 'INVALID_INPUT',
    path: ['body'],
  });
  expect(textsIn(environment, of)).toEqual([...before, 'appended', 'behind it']);
});

test('@catch is told the error of the field that refused, and the other fields are there', async () => {
  const ask = (authorization) => fetchQuery(environmentOf(authorization), caught, {}).toPromise();
  expect(await ask(asRequester)).toMatchObject({
    viewer: { login: 'requester' },
    deliveries: { ok: false, errors: [{ extensions: { code: 'FORBIDDEN' } }] },
  });
  expect(await ask(asOperator)).toMatchObject({
    viewer: { login: 'operator' },
    deliveries: { ok: true, value: { edges: expect.any(Array) } },
  });
});

test('@throwOnFieldError throws for a field that refused, and not for one that is merely null', async () => {
  const ask = (authorization) => fetchQuery(environmentOf(authorization), thrown, {}).toPromise();
  await expect(ask(asRequester)).rejects.toThrow(/^Relay: Unexpected response payload/);
  expect((await ask(asOperator)).viewer.login).toBe('operator');
});

test('a subscription puts what happens into the store', async () => {
  const { data } = await gateway.graphql('{ ticket(by: {ticketId: 46}) { cursor } }');
  const environment = environmentOf(asOperator);
  const seen = Promise.withResolvers();
  const variables = { ticket, after: data.ticket.cursor };
  const { dispose } = requestSubscription(environment, {
    subscription: watch,
    variables,
    onNext: seen.resolve,
    onError: seen.reject,
  });
  await say('for the store');
  expect((await seen.promise).ticketEvents.ticketMessage.bodyText).toBe('for the store');
  dispose();
});
