import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { shorten } from '../../../src/graphql/http/write-response.ts';
import { asOperator, asRequester, type Gateway, startGateway } from '../../support/gateway.ts';

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway({ env: { ROLES: 'web' } });
});
afterAll(() => gateway[Symbol.asyncDispose]());

interface Told {
  message: string;
  path?: (string | number)[];
  locations?: { line: number; column: number }[];
  extensions: Record<string, unknown>;
}
async function ask(body: object, authorization: string | null, accept = 'application/json') {
  const answer = await fetch(`${gateway.url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept,
      ...(authorization === null ? {} : { authorization }),
    },
    body: JSON.stringify(body),
  });
  return (await answer.json()) as { data?: Record<string, unknown>; errors: Told[] };
}
const places = (errors: readonly Told[]) =>
  errors.map(({ path, locations, extensions: { code } }) => ({ path, locations, code }));

describe('an error of a field says where in the answer and where in the document', () => {
  test('of two refused queries each has its own place', async () => {
    const query = '{ a: ticket(by: {ticketId: 47}) { id } b: ticket(by: {ticketId: 46}) { id } }';
    for (const document of [query, query.replace('id }', 'id @skip(if: false) }')]) {
      const { errors } = await ask({ query: document }, null);
      const found = places(errors);
      // A non-null field makes the whole answer null, and the other field's error is dropped.
      expect(found.length).toBeGreaterThan(0);
      const all = [
        { path: ['a'], locations: [{ line: 1, column: 3 }], code: 'UNAUTHENTICATED' },
        {
          path: ['b'],
          locations: [{ line: 1, column: document.indexOf('b:') + 1 }],
          code: 'UNAUTHENTICATED',
        },
      ];
      for (const [n, one] of found.entries()) expect(one).toEqual(all[n]);
      expect(errors[0]!.extensions).toEqual({ code: 'UNAUTHENTICATED', retryable: false, path: [] });
    }
  });

  test('of a list that is for operators, as for a requester', async () => {
    const { errors } = await ask({ query: '{\n  deliveries { edges { cursor } }\n}' }, asRequester);
    expect(places(errors)).toEqual([
      { path: ['deliveries'], locations: [{ line: 2, column: 3 }], code: 'FORBIDDEN' },
    ]);
  });

  test('of a subscription, from its start and from its source', async () => {
    const query = 'subscription { mine: ticketEvents(ticket: {ticketId: 1}) { cursor } }';
    const answer = await fetch(`${gateway.url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'text/event-stream',
        authorization: asRequester,
      },
      body: JSON.stringify({ query }),
    });
    const data = /data: (\{.*\})/.exec(await answer.text())![1]!;
    expect(places(JSON.parse(data).errors)).toEqual([
      { path: ['mine'], locations: [{ line: 1, column: 16 }], code: 'TICKET_NOT_FOUND' },
    ]);
  });

  test('an error deep in a page has the whole way to it', async () => {
    const query = '{ tickets(first: 1) { edges { node { messages(first: -1) { edges { cursor } } } } } }';
    const { errors } = await ask({ query }, asOperator);
    expect(errors[0]!.path).toEqual(['tickets', 'edges', 0, 'node', 'messages']);
    expect(errors[0]!.locations).toHaveLength(1);
    expect(errors[0]!.extensions.code).toEqual(expect.any(String));
  });
});

test('an error of the document says where in it, and each has a code', async () => {
  for (const query of [
    '{ viewer { login }',
    '{ viewer { nothing } }',
    '{ viewer { login(x: 1) } }',
    '{ ticket { id } }',
  ]) {
    const { errors } = await ask({ query }, asOperator);
    for (const { locations, extensions } of errors) {
      expect(locations!.length).toBeGreaterThan(0);
      expect(extensions.code).toMatch(/^GRAPHQL_(PARSE|VALIDATION)_FAILED$/);
    }
  }
});

test('no error quotes more than 200 characters of a value, wherever it stands', async () => {
  const add = 'mutation ($input: AddTicketMessageInput!) { addTicketMessage(input: $input) { __typename } }';
  const long = 'x'.repeat(60_000);
  const ticket = { ticketId: 47 };
  const bodies = [
    { query: add, variables: { input: { ticket, body: 'x', visibility: long } } },
    { query: add, variables: { input: { ticket, body: 'x', visibility: 'x y '.repeat(15_000) } } },
    { query: add, variables: { input: { ticket, body: 'x', [long]: 1 } } },
    { query: add, variables: { input: { ticket: { ticketId: long }, body: 'x' } } },
    { query: add, variables: { input: { ticket: { ticketId: 1e300 }, body: long.slice(0, 500) } } },
    { query: add, variables: { input: { ticket, body: { [long]: long } } } },
    {
      query: add,
      variables: { input: Object.fromEntries(Array.from({ length: 3000 }, (_, n) => [`m${n}`, 'value'])) },
    },
    { query: add, variables: { input: Array.from({ length: 9 }, () => 'y'.repeat(150)) } },
    { query: `{ ${long.slice(0, 6000)} }` },
    { query: `{ viewer { login } "${long.slice(0, 6000)}" }` },
    { query: `query ${long.slice(0, 6000)} { viewer { login(a: "${long.slice(0, 6000)}") } }` },
    { query: '{ __typename }', operationName: long },
  ];
  for (const authorization of [asOperator, null]) {
    for (const body of bodies) {
      const { errors } = await ask(body, authorization);
      expect(errors.length).toBeGreaterThan(0);
      expect(errors.length).toBeLessThanOrEqual(6);
      for (const { message } of errors) {
        expect(message).not.toMatch(/[xy]{201}|(x y ){51}/);
        expect(message.length).toBeLessThan(610);
      }
    }
  }
  // The message still says what is wrong and where.
  const { errors } = await ask(
    { query: add, variables: { input: { ticket: { [long]: 1 }, body: 'x' } } },
    asOperator,
  );
  expect(errors.map(({ message }) => message).join()).toMatch(/"input.ticket"/);
  expect(shorten('short')).toBe('short');
  for (const before of ['', 'x']) expect(shorten(before + '😀'.repeat(2000)).isWellFormed()).toBe(true);
});

test('no answer contains a stack, a local path or a library’s message', async () => {
  const bodies = [
    '{"query":"{ ticket(by: {ticketId: 1}) { id } }","variables":{"__proto__":{"a":1}}}',
    '{"query":{"a":1}}',
    '\u0000',
  ];
  for (const body of bodies) {
    for (const accept of ['application/json', 'text/event-stream', 'text/plain', 'a/b;q=x']) {
      const answer = await fetch(`${gateway.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept },
        body,
      });
      expect(answer.status).toBeLessThan(500);
      expect(await answer.text()).not.toMatch(/node_modules|\.[jt]s:\d|\n\s+at /);
    }
  }
});
