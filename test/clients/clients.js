import { ApolloClient, gql, HttpLink, InMemoryCache } from '@apollo/client';
import { CombinedGraphQLErrors } from '@apollo/client/errors';
import { Client, fetchExchange } from '@urql/core';
import { createClient } from 'graphql-sse';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { asOperator, startGateway } from '../support/gateway.ts';

/* Real clients, as their documents have them. */

let gateway;
beforeAll(async () => {
  gateway = await startGateway({ env: { ROLES: 'web' } });
});
afterAll(() => gateway[Symbol.asyncDispose]());

const headers = { authorization: asOperator };
const add = `mutation ($input: AddTicketMessageInput!) { addTicketMessage(input: $input) {
  ... on AddTicketMessagePayload { cursor ticketMessage { messageId } } } }`;
const say = async (body, on = gateway) => {
  const { data } = await on.graphql(add, { input: { ticket: { ticketId: 47 }, body } });
  return { cursor: data.addTicketMessage.cursor, messageId: data.addTicketMessage.ticketMessage.messageId };
};
const watch =
  'subscription ($after: String) { ticketEvents(ticket: {ticketId: 47}, after: $after) { ' +
  'cursor ticketMessage { messageId } } }';

test('Apollo Client 4 queries, is refused, and watches over multipart', async () => {
  const client = new ApolloClient({
    link: new HttpLink({ uri: `${gateway.url}/graphql`, headers }),
    cache: new InMemoryCache(),
  });
  const { data } = await client.query({ query: gql`{ viewer { login } }` });
  expect(data.viewer.login).toBe('operator');
  const stranger = new ApolloClient({
    link: new HttpLink({ uri: `${gateway.url}/graphql` }),
    cache: new InMemoryCache(),
  });
  const refused = await stranger
    .query({ query: gql`{ ticket(by: {ticketId: 47}) { id } }` })
    .catch((error) => error);
  expect(CombinedGraphQLErrors.is(refused)).toBe(true);
  expect(refused.errors[0]).toMatchObject({ path: ['ticket'], extensions: { code: 'UNAUTHENTICATED' } });
  const { cursor } = await say('before Apollo watches');
  const seen = Promise.withResolvers();
  const subscription = client
    .subscribe({ query: gql(watch), variables: { after: cursor } })
    .subscribe({ next: seen.resolve, error: seen.reject });
  const { messageId } = await say('for Apollo');
  expect((await seen.promise).data.ticketEvents.ticketMessage.messageId).toBe(messageId);
  subscription.unsubscribe();
  client.stop();
});

test('urql 6 queries, and watches over events', async () => {
  const client = new Client({
    url: `${gateway.url}/graphql`,
    preferGetMethod: false,
    fetchSubscriptions: true,
    exchanges: [fetchExchange],
    fetchOptions: { headers },
  });
  const { data } = await client.query('{ viewer { login } }', {}).toPromise();
  expect(data.viewer.login).toBe('operator');
  const { cursor } = await say('before urql watches');
  const seen = Promise.withResolvers();
  const { unsubscribe } = client
    .subscription(watch, { after: cursor })
    .subscribe((result) => (result.error ? seen.reject(result.error) : seen.resolve(result.data)));
  const { messageId } = await say('for urql');
  expect((await seen.promise).ticketEvents.ticketMessage.messageId).toBe(messageId);
  unsubscribe();
});

test('graphql-sse sees each event once, by itself, with a restart in the middle', async () => {
  const start = (port) =>
    startGateway({ env: { ROLES: 'web', PORT: String(port) }, database: gateway.database });
  let process = await start(0);
  const port = new URL(process.url).port;
  const { cursor } = await say('before graphql-sse watches');
  const seen = [];
  let last = cursor;
  const reached = (count) => expect.poll(() => seen.length, { timeout: 60_000 }).toBe(count);
  const client = createClient({
    url: `${process.url}/graphql`,
    headers: () => ({ ...headers, 'last-event-id': last }),
    retryAttempts: 100,
    retry: () => new Promise((resolve) => setTimeout(resolve, 50)),
  });
  const ended = Promise.withResolvers();
  const stop = client.subscribe(
    { query: watch, variables: { after: cursor } },
    {
      next: ({ data }) => {
        last = data.ticketEvents.cursor;
        seen.push(data.ticketEvents.ticketMessage.messageId);
      },
      error: ended.reject,
      complete: () => ended.resolve('complete'),
    },
  );
  const said = [await say('one'), await say('two')];
  await reached(2);
  await process[Symbol.asyncDispose]();
  said.push(await say('while it is away'));
  process = await start(port);
  said.push(await say('when it is back'));
  await reached(4);
  expect(seen).toEqual(said.map(({ messageId }) => messageId));
  stop();
  await ended.promise.catch(() => {});
  await process[Symbol.asyncDispose]();
}, 120_000);
