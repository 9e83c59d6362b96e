import { afterAll, beforeAll, expect, test } from 'vitest';
import { createToken } from '../../src/auth/tokens.ts';
import { encodeGlobalId } from '../../src/platform/global-id.ts';
import { type Scope, scopes } from '../../src/platform/request-context.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { add } from '../tickets/calls.ts';

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway({ env: { ROLES: 'web' } });
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
  search: '{ search(text: "printer") { edges { cursor } } }',
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

test('a write-only token reads neither the conversation nor files through its own writes', async () => {
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

/*
 * A credential without the scope read gets the results of its own commands, and nothing that anybody else
 * wrote.
 */

const secret = 'canary-4711';

/** A ticket of which everything says the secret: subject, requester, a note, its file, its mail. */
async function secretTicket() {
  const { sql } = gateway;
  await sql`update tickets set subject = ${secret} where id = 12`;
  await sql`update users set name = ${secret}, email = ${`${secret}@domain.com`}
    where id = (select requester_id from tickets where id = 12)`;
  const file = new File([secret], `${secret}.txt`);
  const email = { from: 'company@domain.com', bcc: [`${secret}@domain.com`], holdSeconds: 3600 };
  const added = await add(
    gateway,
    { ticket: { ticketId: 12 }, body: secret, email, attachments: [{ file: null }] },
    { files: [file] },
  );
  const note = await add(gateway, { ticket: { ticketId: 12 }, body: secret, visibility: 'PRIVATE' });
  return {
    message: added.ticketMessage.id,
    attachment: added.ticketMessage.attachments[0]!.id,
    delivery: added.delivery!.id,
    note: note.ticketMessage.id,
  };
}

const ticketFields =
  'reference subject requester { name email } messageCount messages(first: 100) { nodes { body } }';
const messageFields =
  `id bodyText body author { name email } ticket { ${ticketFields} } attachments { ` +
  'fileName url } delivery { bcc subject to }';
const deliveryFields = 'state subject to bcc recipients { address } attempts { reply }';

function operations({ message, attachment, delivery, note }: Awaited<ReturnType<typeof secretTicket>>) {
  const by = 'ticket: { ticketId: 12 }';
  const last = encodeGlobalId('TicketMessage', 1);
  const email = 'email: { from: "company@domain.com", quote: ALL, cc: ["me@domain.com"] }';
  const refused = '... on UserError { code message path }';
  const said =
    `... on AddTicketMessagePayload { replayed ticketMessage { ${messageFields} } ticket { ` +
    `${ticketFields} } }`;
  const add = (input: string) =>
    `mutation { addTicketMessage(input: { ${by}, body: "mine", ${input} }) { ${said} ${refused}
      ... on TicketChangedError { unseenMessages { body } } } }`;
  const delivered = `... on DeliveryPayload { delivery { ${deliveryFields} } } ${refused}`;
  return {
    ticket: `{ ticket(by: { ticketId: 12 }) { ${ticketFields} } }`,
    tickets: `{ tickets(first: 100) { nodes { ${ticketFields} } } }`,
    node: `{ node(id: "${note}") { ... on TicketMessage { ${messageFields} } } }`,
    nodes:
      `{ nodes(ids: ["${note}", "${attachment}", "${delivery}"]) { ... on TicketMessage { body } ... on ` +
      `Attachment { fileName url } ... on Delivery { bcc } } }`,
    deliveries: `{ deliveries(first: 100) { nodes { ${deliveryFields} } } }`,
    ticketEvents: `{ ticketEvents(${by}) { ticketMessage { body } delivery { bcc } actor { name } } }`,
    deskEvents: `{ deskEvents(filter: { visibility: PRIVATE }) { cursor events {
      ticket { ${ticketFields} } ticketMessage { body }
      delivery { bcc } } } }`,
    deskCursor: '{ deskCursor }',
    mailboxes: '{ mailboxes { address displayName } }',
    preview:
      `{ previewTicketMessage(input: { ${by}, body: "mine", ${email} }) { ... on TicketMessagePreview { ` +
      `text html } ${refused} } }`,
    add: add(''),
    'add, again': add('idempotencyKey: "twice"'),
    'add, replayed': add('idempotencyKey: "twice"'),
    'add after what was seen': add(`ifLastMessage: "${last}"`),
    'add by mail with quotations': add(email),
    retry: `mutation { retryDelivery(input: { delivery: "${delivery}" }) { ${delivered} } }`,
    cancel: `mutation { cancelDelivery(input: { delivery: "${delivery}" }) { ${delivered} } }`,
    resolve: `mutation { resolveDelivery(input: { delivery: "${delivery}", as: RESEND }) { ${delivered} } }`,
    redactAttachment:
      `mutation { redactAttachment(input: { attachment: "${attachment}" }) { ... on ` +
      `RedactAttachmentPayload { attachment { fileName } ticketMessage { ${messageFields} } } ${refused} } ` +
      `}`,
    redactMessage:
      `mutation { redactMessage(input: { message: "${message}" }) { ... on RedactMessagePayload { ` +
      `ticketMessage { ${messageFields} } } ${refused} } }`,
    setStatus: `mutation { setTicketStatus(input: { ${by}, status: CLOSED }) { ... on SetTicketStatusPayload {
      changed ticket { ${ticketFields} } } ${refused} } }`,
    subscription: `subscription { ticketEvents(${by}) { ticketMessage { body } delivery { bcc } } }`,
    deskSubscription: `subscription { deskEvents(after: "ZXZlbnRzIG9mIHRoZSBkZXNrLCAwLCAwLCAw") {
      ticketMessage { body } delivery { bcc } } }`,
  };
}

const withoutRead: Scope[][] = [
  ['write'],
  ['mail'],
  ['admin'],
  ['write', 'mail'],
  ['write', 'mail', 'admin'],
];
test.each(withoutRead.map((granted) => [granted.join(), granted] as const))(
  'a token with %s alone meets nothing that somebody else wrote, by any operation',
  async (_, granted) => {
    const authorization = await bearer(...granted);
    for (const [name, query] of Object.entries(operations(await secretTicket()))) {
      const accept = name === 'subscription' ? 'text/event-stream' : 'application/json';
      const response = await fetch(`${gateway.url}/graphql`, {
        method: 'POST',
        headers: { authorization, accept, 'content-type': 'application/json' },
        body: JSON.stringify({ query }),
      });
      const text = await response.text();
      expect([name, text]).toEqual([name, expect.not.stringContaining(secret)]);
      expect([name, text]).toEqual([name, expect.not.stringContaining('INTERNAL')]);
    }
  },
);

/** Operations whose results contain nothing that somebody wrote, and streams. */
const withoutText = new Set([
  ...['mailboxes', 'deskCursor', 'retry', 'resolve'],
  ...['subscription', 'deskSubscription'],
]);

test('the same operations tell a token that reads all of it', async () => {
  const silent = [];
  const operationsOf = operations(await secretTicket());
  const authorization = await bearer(...scopes);
  for (const [name, query] of Object.entries(operationsOf)) {
    if (withoutText.has(name)) continue;
    const answer = await gateway.graphql(query, {}, { authorization });
    if (!JSON.stringify(answer.data).includes(secret)) silent.push(name);
  }
  expect(silent).toEqual([]);
});

test('a write-only token’s command is done and answered, but its links lead nowhere', async () => {
  const authorization = await bearer('write', 'mail', 'admin');
  const { message, attachment, delivery } = await secretTicket();
  const cancelled = await gateway.graphql(
    `mutation { cancelDelivery(input: { delivery: "${delivery}" }) { __typename ... on DeliveryPayload { ` +
      `delivery { state } } } }`,
    {},
    { authorization },
  );
  expect(cancelled).toMatchObject({
    data: { cancelDelivery: { __typename: 'DeliveryPayload', delivery: null } },
    errors: [{ path: ['cancelDelivery', 'delivery'], extensions: { code: 'FORBIDDEN' } }],
  });
  const file = await gateway.graphql(
    `mutation { redactAttachment(input: { attachment: "${attachment}" }) { ... on ` +
      `RedactAttachmentPayload { attachment { fileName } ticketMessage { body } } } }`,
    {},
    { authorization },
  );
  expect(file).toMatchObject({
    data: { redactAttachment: { attachment: { fileName: 'redacted-1' }, ticketMessage: null } },
    errors: [{ path: ['redactAttachment', 'ticketMessage'], extensions: { code: 'FORBIDDEN' } }],
  });
  const redacted = await gateway.graphql(
    `mutation { redactMessage(input: { message: "${message}" }) { ... on RedactMessagePayload { ` +
      `alreadyRedacted ticketMessage { id body } } } }`,
    {},
    { authorization },
  );
  expect(redacted).toMatchObject({
    data: { redactMessage: { alreadyRedacted: false, ticketMessage: { id: message, body: '' } } },
  });
  expect(redacted.errors).toBeUndefined();
  const written = await gateway.graphql(
    `mutation { addTicketMessage(input: { ticket: { ticketId: 12 }, body: "mine", email: {
      from: "company@domain.com" } }) {
      ... on AddTicketMessagePayload { ticketMessage { bodyText author { name } } delivery { state attempts {
      number } } ticket { reference } } } }`,
    {},
    { authorization },
  );
  expect(written).toMatchObject({
    data: {
      addTicketMessage: {
        ticketMessage: { bodyText: 'mine', author: { name: expect.any(String) } },
        delivery: { state: 'QUEUED', attempts: [] },
        ticket: null,
      },
    },
    errors: [{ path: ['addTicketMessage', 'ticket'], extensions: { code: 'FORBIDDEN' } }],
  });
});

test('ifLastMessage and quotations need the scope read; the refusal names their path', async () => {
  const authorization = await bearer('write', 'mail');
  const before = await gateway.counts();
  const last = encodeGlobalId('TicketMessage', 1);
  const from = 'company@domain.com';
  expect(await add(gateway, { ifLastMessage: last }, { authorization })).toMatchObject({
    ...{ code: 'FORBIDDEN', path: ['ifLastMessage'] },
  });
  for (const quote of ['LAST', 'ALL']) {
    expect(await add(gateway, { email: { from, quote } }, { authorization })).toMatchObject({
      ...{ code: 'FORBIDDEN', path: ['email', 'quote'] },
    });
  }
  expect(await gateway.counts()).toEqual(before);
  const plain = await gateway.graphql(
    'mutation ($i: AddTicketMessageInput!) { addTicketMessage(input: $i) { __typename } }',
    { i: { ticket: { ticketId: 47 }, body: 'x', email: { from, quote: 'NONE' } } },
    { authorization },
  );
  expect(plain.data).toEqual({ addTicketMessage: { __typename: 'AddTicketMessagePayload' } });
});
