import { afterAll, beforeAll, expect, test } from 'vitest';
import { createToken } from '../../src/auth/tokens.ts';
import { type Scope, scopes } from '../../src/context.ts';
import { encodeGlobalId } from '../../src/global-id.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway[Symbol.asyncDispose]());

async function bearer(...granted: Scope[]): Promise<string> {
  const [operator] = await gateway.sql<{ id: number }[]>`select id from users where login = 'operator'`;
  const { token } = await createToken(gateway.database.database.desk, {
    userId: operator!.id,
    name: 'test',
    scopes: granted,
  });
  return `Bearer ${token}`;
}

const ticket = encodeGlobalId('Ticket', 47);
const reads = {
  node: `{ node(id: "${ticket}") { id } }`,
  nodes: `{ nodes(ids: ["${ticket}"]) { id } }`,
  ticket: '{ ticket(by: {ticketId: 47}) { id } }',
  tickets: '{ tickets(first: 1) { edges { cursor } } }',
  deliveries: '{ deliveries(first: 1) { edges { cursor } } }',
  mailboxes: '{ mailboxes { address } }',
};

test('only a token with the scope read reads, by whatever field', async () => {
  const authorization = await bearer(...scopes.filter((scope) => scope !== 'read'));
  for (const [name, query] of Object.entries(reads)) {
    const { errors, data } = await gateway.graphql<Record<string, unknown>>(query, {}, { authorization });
    expect([name, errors?.map(({ extensions }) => extensions?.code)]).toEqual([name, ['FORBIDDEN']]);
    expect(data?.[name] ?? null).toBeNull();
    const good = await gateway.graphql(query, {}, { authorization: await bearer('read') });
    expect([name, good.errors]).toEqual([name, undefined]);
  }
});

test('a token that only writes does not read the conversation by way of what it has written, nor files', async () => {
  const authorization = await bearer('write');
  const written = await gateway.graphql<{ addTicketMessage: object }>(
    `mutation { addTicketMessage(input: {ticket: {ticketId: 47}, body: "x"}) {
      ... on AddTicketMessagePayload { ticketMessage { bodyText } ticket { subject } }
    } }`,
    {},
    { authorization },
  );
  expect(written.data.addTicketMessage).toMatchObject({ ticketMessage: { bodyText: 'x' } });
  const { errors } = await gateway.graphql(
    `mutation { addTicketMessage(input: {ticket: {ticketId: 47}, body: "x"}) {
      ... on AddTicketMessagePayload { ticket { messages { edges { node { bodyText } } } } }
    } }`,
    {},
    { authorization },
  );
  expect(errors?.[0]?.extensions?.code).toBe('FORBIDDEN');
  const download = `${gateway.url}/attachments/${encodeGlobalId('Attachment', 1)}`;
  expect((await fetch(download, { headers: { authorization } })).status).toBe(403);
});

test('an id of what is no node is null, without a word of what there is inside', async () => {
  for (const type of ['Person', 'Query', 'UserError', 'Upload', '__proto__', 'constructor', 'Nothing', '']) {
    const id = Buffer.from(`${type}:1`).toString('base64');
    const { data, errors } = await gateway.graphql(`query($id: ID!) { node(id: $id) { id } }`, { id });
    expect([type, data, errors]).toEqual([type, { node: null }, undefined]);
  }
});

test('one document may ask for the same node twice', async () => {
  const { data } = await gateway.graphql(
    `{ a: node(id: "${ticket}") { id } b: node(id: "${ticket}") { ... on Ticket { reference } } }`,
  );
  expect(data).toEqual({ a: { id: ticket }, b: { reference: 'INC-000047' } });
});
