import { Client, fetchExchange } from '@urql/core';
import { cacheExchange } from '@urql/exchange-graphcache';
import { getIntrospectionQuery } from 'graphql';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { asOperator, asRequester, startGateway } from '../support/gateway.ts';

/* urql with the normalised cache, which knows the schema. */

let gateway;
let schema;
beforeAll(async () => {
  gateway = await startGateway({ env: { ROLES: 'web' } });
  schema = (await gateway.graphql(getIntrospectionQuery())).data;
});
afterAll(() => gateway[Symbol.asyncDispose]());

const page = `query ($first: Int) { ticket(by: {ticketId: 46}) { id messageCount
  messages(first: $first) { nodes { id bodyText author { id name } } } }
  viewer { id login } }`;
const add = `mutation ($input: AddTicketMessageInput!) {
  addTicketMessage(input: $input) { __typename
    ... on AddTicketMessagePayload { ticketMessage { id bodyText author { id name } }
      ticket { id messageCount } }
    ... on UserError { code } } }`;

function clientOf(authorization) {
  let asked = 0;
  const url = `${gateway.url}/graphql`;
  const counting = (...request) => {
    asked += 1;
    return fetch(...request);
  };
  const updates = {
    Mutation: {
      addTicketMessage({ addTicketMessage: result }, _args, cache) {
        // What the mutation's payload does not name is asked for again.
        if (result.ticket != null)
          cache.invalidate({ __typename: 'Ticket', id: result.ticket.id }, 'messages', { first: 5 });
      },
    },
  };
  const client = new Client({
    url,
    preferGetMethod: false,
    exchanges: [cacheExchange({ schema, updates }), fetchExchange],
    fetch: counting,
    fetchOptions: { headers: { authorization } },
  });
  return { client, asked: () => asked };
}

test('everything that has an identity is kept by it, without a warning', async () => {
  const warned = vi.spyOn(console, 'warn').mockImplementation(() => {});
  const { client, asked } = clientOf(asOperator);
  const first = await client.query(page, { first: 5 }).toPromise();
  expect([first.error, first.data.viewer.login]).toEqual([undefined, expect.any(String)]);
  const again = await client.query('{ viewer { id login } }', {}).toPromise();
  expect([again.data.viewer, asked()]).toEqual([first.data.viewer, 1]);
  const author = first.data.ticket.messages.nodes[0]?.author ?? first.data.viewer;
  expect(author.id).toBeTruthy();
  expect(warned.mock.calls).toEqual([]);
  warned.mockRestore();
});

test('a mutation’s payload renews what a page shows, and a refusal renews nothing', async () => {
  const { client } = clientOf(asOperator);
  const before = (await client.query(page, { first: 5 }).toPromise()).data.ticket;
  const input = { ticket: { ticketId: 46 }, body: 'for graphcache' };
  const refused = await client.mutation(add, { input: { ...input, body: ' ' } }).toPromise();
  expect(refused.data.addTicketMessage).toMatchObject({
    __typename: 'InvalidInputError',
    code: 'INVALID_INPUT',
  });
  const { data } = await client.mutation(add, { input }).toPromise();
  expect(data.addTicketMessage.ticket.messageCount).toBe(before.messageCount + 1);
  const after = (await client.query(page, { first: 5 }).toPromise()).data.ticket;
  expect(after.messageCount).toBe(before.messageCount + 1);
  expect(after.messages.nodes.map(({ bodyText }) => bodyText)).toEqual(
    [...before.messages.nodes.map(({ bodyText }) => bodyText), 'for graphcache'].slice(0, 5),
  );
});

test('a field that refused is null with its error, and is asked for again once it may be seen', async () => {
  const list = '{ viewer { id } deliveries(first: 1) { nodes { id } } }';
  const { client, asked } = clientOf(asRequester);
  const refused = await client.query(list, {}).toPromise();
  expect(refused.error.graphQLErrors).toMatchObject([
    { path: ['deliveries'], extensions: { code: 'FORBIDDEN' } },
  ]);
  expect([refused.data.viewer.id, refused.data.deliveries]).toEqual([expect.any(String), null]);
  // The error's path says that this null is no answer: it is not kept.
  await client.query(list, {}).toPromise();
  expect(asked()).toBe(2);
});
