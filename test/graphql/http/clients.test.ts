import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { OperationPlugin } from '../../../src/graphql/execute/create-enveloped.ts';
import { type Asked, clients } from '../../support/clients.ts';
import { asOperator, asRequester, type Gateway, startGateway } from '../../support/gateway.ts';
import { soaking } from '../../support/soak.ts';

/*
 * The same requests by every client's default headers and by every transport: one table of answers, equal in
 * data, errors and codes.
 */

const faulty: OperationPlugin = {
  onExecute({ args, setExecuteFn }) {
    if (args.operationName === 'Fault') setExecuteFn(() => Promise.reject(new Error('a fault of ours')));
  },
};
let gateway: Gateway;
beforeAll(async () => {
  const env = { ROLES: 'web', MAX_ATTACHMENT_BYTES: '100000' };
  gateway = await startGateway({ env, overrides: { operationPlugins: [faulty] } });
});
afterAll(() => gateway[Symbol.asyncDispose]());

const add = (more = '') => /* GraphQL */ `mutation Add($input: AddTicketMessageInput!) {
  addTicketMessage(input: $input) { __typename
  ... on AddTicketMessagePayload { replayed ticketMessage { bodyText visibility } }
  ... on UserError { code path retryable message } ${more} }
}`;
const ticket = { ticketId: 47 };
const input = (more: object) => ({ input: { ticket, body: 'By every client', ...more } });
const page =
  '{ ticket(by: {ticketId: 47}) { reference messages(first: 3) { edges { cursor node { messageId body ' +
  'author { name } } } pageInfo { hasNextPage } } } }';

type Row = Asked & { readonly as?: string | null };
const requests: Record<string, Row> = {
  // Queries
  typename: { query: '{ __typename }' },
  viewer: { query: '{ viewer { login role } }' },
  'viewer, a stranger': { query: '{ viewer { login } }', as: null },
  'a page': { query: page },
  'a page, a requester': { query: page, as: asRequester },
  'a page, named': { query: page.replace('{', 'query Page {'), operationName: 'Page' },
  'a variable': {
    query: 'query Q($id: Int!) { ticket(by: {ticketId: $id}) { reference } }',
    variables: { id: 47 },
  },
  'a variable of an input': {
    query: 'query Q($by: TicketSelector!) { ticket(by: $by) { reference } }',
    variables: { by: ticket },
  },
  'a variable of an input for events': {
    query: 'query Q($t: TicketSelector!) { ticketEvents(ticket: $t) { cursor } }',
    variables: { t: ticket },
  },
  'a default': { query: 'query Q($id: Int = 47) { ticket(by: {ticketId: $id}) { reference } }' },
  'an alias': { query: '{ a: viewer { b: login } }' },
  'a fragment': { query: '{ ...F } fragment F on Query { viewer { login } }' },
  'a directive': { query: '{ viewer { login @skip(if: true) role @include(if: true) } }' },
  'a directive by a variable': {
    query: 'query Q($c: Boolean!) { viewer { login @skip(if: $c) role } }',
    variables: { c: true },
  },
  'two operations': { query: 'query A { viewer { login } } query B { viewer { role } }', operationName: 'B' },
  'a node': { query: `{ node(id: "${Buffer.from('Ticket:47').toString('base64')}") { id __typename } }` },
  'a node that is none': { query: '{ node(id: "x") { id } }' },
  nodes: {
    query: `query N($ids: [ID!]!) { nodes(ids: $ids) { id } }`,
    variables: { ids: [Buffer.from('Ticket:47').toString('base64')] },
  },
  tickets: { query: '{ tickets(first: 2) { edges { node { reference } } pageInfo { hasNextPage } } }' },
  mailboxes: { query: '{ mailboxes { address } }' },
  deliveries: { query: '{ deliveries(first: 2) { edges { node { state } } } }' },
  events: { query: '{ ticketEvents(ticket: {ticketId: 47}, first: 2) { type } }' },
  schema: { query: '{ __schema { queryType { name } } __type(name: "Ticket") { name } }' },
  'text of all kinds': { query: '{ ticket(by: {reference: "INC-000047"}) { subject } } # ä€😀' },
  // Refusals of queries
  'a ticket, a stranger': {
    query: '{ a: ticket(by: {ticketId: 47}) { id } b: ticket(by: {ticketId: 46}) { id } }',
    as: null,
  },
  'a ticket of another': { query: '{ ticket(by: {ticketId: 1}) { id } }', as: asRequester },
  'deliveries, a requester': { query: '{ deliveries { edges { cursor } } }', as: asRequester },
  'events of another': { query: '{ ticketEvents(ticket: {ticketId: 1}) { cursor } }', as: asRequester },
  'a cursor that is none': { query: '{ ticketEvents(ticket: {ticketId: 47}, after: "x") { cursor } }' },
  'the schema, a stranger': { query: '{ __schema { queryType { name } } }', as: null },
  // Mistakes
  syntax: { query: '{ viewer {' },
  'an empty document': { query: '' },
  'an unknown field': { query: '{ viewr { login } }' },
  'an unknown field, a stranger': { query: '{ viewr { login } }', as: null },
  'a missing argument': { query: '{ ticket { id } }' },
  'a wrong literal': { query: '{ ticket(by: {ticketId: "x"}) { id } }' },
  'two keys of one': { query: '{ ticket(by: {ticketId: 47, reference: "INC-000047"}) { id } }' },
  'no key': { query: 'query Q($by: TicketSelector!) { ticket(by: $by) { id } }', variables: { by: {} } },
  'a missing variable': { query: 'query Q($id: Int!) { ticket(by: {ticketId: $id}) { id } }' },
  'a wrong variable': {
    query: 'query Q($id: Int!) { ticket(by: {ticketId: $id}) { id } }',
    variables: { id: 'x' },
  },
  'a variable too large': {
    query: 'query Q($id: Int!) { ticket(by: {ticketId: $id}) { id } }',
    variables: { id: 1e12 },
  },
  'an unknown operation': { query: 'query A { __typename }', operationName: 'B' },
  'no operation chosen': { query: 'query A { __typename } query B { __typename }' },
  'too many aliases': {
    query: `{ ${Array.from({ length: 101 }, (_, n) => `a${n}: __typename`).join(' ')} }`,
  },
  'too deep': {
    query: `{ tickets ${'{ edges { node { messages '.repeat(8)} { totalCount } ${'} } } '.repeat(8)} }`,
  },
  'too much': {
    query:
      'query Q($n: Int) { tickets(first: $n) { edges { node { messages(first: $n) { edges { node { ' +
      'ticket { messages(first: $n) { edges { node { id } } } } } } } } } } }',
    variables: { n: 100 },
  },
  'a fault': { query: 'query Fault { viewer { login } }', operationName: 'Fault' },
  // Mutations
  'a message': { query: add(), variables: input({}) },
  'a private message': { query: add(), variables: input({ visibility: 'PRIVATE' }) },
  'a message of a requester': { query: add(), variables: input({}), as: asRequester },
  'a private message of a requester': {
    query: add(),
    variables: input({ visibility: 'PRIVATE' }),
    as: asRequester,
  },
  'a message, a stranger': { query: add(), variables: input({}), as: null },
  'a blank message': { query: add(), variables: input({ body: ' ' }) },
  'a message to nowhere': { query: add(), variables: input({ ticket: { ticketId: 999 } }) },
  'a message from no mailbox': { query: add(), variables: input({ email: { from: 'nobody@domain.com' } }) },
  'a message with bad copies': {
    query: add(),
    variables: input({ email: { from: 'company@domain.com', cc: ['a,b', 'x'] } }),
  },
  'a message behind others': { query: add(), variables: input({ ifLastMessage: 1 }) },
  'a message without its input': { query: add() },
  'a message with a member too many': { query: add(), variables: input({ nothing: 1 }) },
  'two messages': {
    query:
      'mutation { a: addTicketMessage(input: {ticket: {ticketId: 47}, body: "a"}) { __typename } b: ' +
      'addTicketMessage(input: {ticket: {ticketId: 47}, body: ""}) { __typename } }',
  },
};

interface Told {
  data?: unknown;
  errors?: { extensions: object }[];
}
const signedAs = ({ as = asOperator }: Row) => ({
  'x-request-id': 'the-same-for-all',
  ...(as === null ? {} : { authorization: as }),
});
const post = async (headers: Record<string, string>, body: string | FormData): Promise<Told> =>
  (await fetch(`${gateway.url}/graphql`, { method: 'POST', headers, body })).json() as Promise<Told>;
/** The status of an error depends on the request's headers; its content does not. */
const asPosted = (row: Row) => post({ ...clients.curl.headers, ...signedAs(row) }, clients.curl.body(row));

/** Of the cases, a third in turn: all of them are tried by one row or another, and by each when soaking. */
const inTurn = <T>(cases: readonly T[], row: number): T[] =>
  cases.filter((_, n) => soaking || n % 3 === row % 3);

test('there are sixty requests in the table', () => {
  expect(Object.keys(requests).length).toBeGreaterThanOrEqual(60);
});

describe('by POST, each client is answered as curl is', () => {
  for (const [at, [name, row]] of Object.entries(requests).entries()) {
    test(name, async () => {
      const expected = await asPosted(row);
      for (const error of expected.errors ?? []) expect(error.extensions).toHaveProperty('code');
      for (const [client, { headers, body }] of inTurn(Object.entries(clients), at))
        expect({ client, ...(await post({ ...headers, ...signedAs(row) }, body(row))) }).toEqual({
          client,
          ...expected,
        });
    });
  }
});

describe('by every other transport the answer is the same, or its refusal stands here', () => {
  const byGet = async (row: Row, expected: Told) => {
    const parameters = new URLSearchParams({
      query: row.query,
      ...(row.variables && { variables: JSON.stringify(row.variables) }),
      ...(row.operationName !== undefined && { operationName: row.operationName }),
    });
    const get = await fetch(`${gateway.url}/graphql?${parameters}`, { headers: signedAs(row) });
    const isMutation = row.query.startsWith('mutation');
    // A stranger asks by POST here, as the desk is no demo; a mutation always does.
    const isRead = !isMutation && row.as !== null;
    if (isRead) expect(await get.json()).toEqual(expected);
    else expect([401, 405, 200]).toContain(get.status);
    if (!isRead) expect(((await get.json()) as Told).data).toBeUndefined();
  };
  const byForm = async (row: Row, expected: Told) => {
    const form = new FormData();
    form.set(
      'operations',
      JSON.stringify({ query: row.query, variables: row.variables, operationName: row.operationName }),
    );
    form.set('map', '{}');
    expect(await post(signedAs(row), form)).toEqual(expected);
  };
  const byStream = async (row: Row, expected: Told) => {
    const events = await fetch(`${gateway.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream', ...signedAs(row) },
      body: JSON.stringify(row),
    });
    // A fault has an HTTP status, so that a client of streams reconnects.
    const text = await events.text();
    const data = events.status === 200 ? /^data: (\{.*\})$/m.exec(text)![1]! : text;
    expect([events.status, JSON.parse(data)]).toEqual([row.operationName === 'Fault' ? 500 : 200, expected]);
  };
  for (const [at, [name, row]] of Object.entries(requests).entries()) {
    const isMutation = row.query.startsWith('mutation');
    test(`${name}: ${isMutation ? 'refused by GET' : 'by GET'}, by a form, by a stream of one`, async () => {
      const expected = await asPosted(row);
      const ways = [byGet, byForm, byStream];
      const isFault = row.operationName === 'Fault';
      for (const asked of isFault ? ways : inTurn(ways, at)) await asked(row, expected);
    });
  }
});

describe('a multipart form of any client brings a file, whole or streamed; JSON and GET bring none', () => {
  const attach = add(
    '... on AddTicketMessagePayload { ticketMessage { attachments { fileName byteSize sha256 } } }',
  );
  const upload =
    'mutation Up($input: UploadFileInput!) { uploadFile(input: $input) { __typename ... on UserError { ' +
    'code path message } } }';
  const file = (bytes: number) => new File([Buffer.alloc(bytes, 'x')], 'ä.txt', { type: 'text/plain' });
  const attached = (count = 1) =>
    input({ attachments: Array.from({ length: count }, () => ({ file: null })) });
  const of = (n: number) => `variables.input.attachments.${n}.file`;
  const uploads: Record<string, Row & { readonly files: Readonly<Record<string, File>> }> = {
    'a file': { query: attach, variables: attached(), files: { [of(0)]: file(10) } },
    'two files': { query: attach, variables: attached(2), files: { [of(0)]: file(1), [of(1)]: file(2) } },
    'an empty file': { query: attach, variables: attached(), files: { [of(0)]: file(0) } },
    'a file too large': { query: attach, variables: attached(), files: { [of(0)]: file(100_001) } },
    'a file, a stranger': { query: attach, variables: attached(), files: { [of(0)]: file(10) }, as: null },
    'a file to nowhere': {
      query: attach,
      variables: { input: { ...attached().input, ticket: { ticketId: 999 } } },
      files: { [of(0)]: file(10) },
      as: asRequester,
    },
    'an upload': {
      query: upload,
      variables: { input: { file: null } },
      files: { 'variables.input.file': file(10) },
    },
    'an upload too large': {
      query: upload,
      variables: { input: { file: null } },
      files: { 'variables.input.file': file(100_001) },
    },
  };
  const formOf = ({ query, variables, files }: (typeof uploads)[string]) => {
    const form = new FormData();
    form.set('operations', JSON.stringify({ query, variables }));
    const places = Object.keys(files);
    form.set('map', JSON.stringify(Object.fromEntries(places.map((place, n) => [n, [place]]))));
    for (const [n, place] of places.entries()) form.set(String(n), files[place]!);
    return form;
  };

  for (const [at, [name, row]] of Object.entries(uploads).entries()) {
    test(name, async () => {
      const expected = await post(signedAs(row), formOf(row));
      for (const [client, { headers }] of inTurn(Object.entries(clients), at)) {
        const { 'content-type': _, ...own } = headers;
        const told = await post({ ...own, ...signedAs(row) }, formOf(row));
        expect({ client, ...told }).toEqual({ client, ...expected });
      }
      const events = await fetch(`${gateway.url}/graphql`, {
        method: 'POST',
        headers: { accept: 'text/event-stream', ...signedAs(row) },
        body: formOf(row),
      });
      expect(JSON.parse(/^data: (\{.*\})$/m.exec(await events.text())![1]!)).toEqual(expected);

      const before = await gateway.counts();
      const asJson = await asPosted(row);
      for (const { headers, body } of inTurn(Object.values(clients), at))
        expect(await post({ ...headers, ...signedAs(row) }, body(row))).toEqual(asJson);
      expect(asJson.data ?? null).toBeNull();
      expect(await gateway.counts()).toEqual(before);
    });
  }
});

describe('each malformed request is refused alike, whoever sends it', () => {
  const malformed = {
    'no JSON': '{',
    nothing: '',
    'a list': '[]',
    'no query': '{}',
    'a number': '{"query":1}',
    'bad variables': '{"query":"{ a }","variables":1}',
  };
  for (const [name, body] of Object.entries(malformed)) {
    test(name, async () => {
      const answers = await Promise.all(
        Object.values(clients).map(({ headers }) => post({ ...headers, authorization: asOperator }, body)),
      );
      for (const answer of answers) expect(answer).toEqual(answers[0]);
      expect(answers[0]!.errors).toMatchObject([{ extensions: { code: 'BAD_REQUEST' } }]);
    });
  }
});
