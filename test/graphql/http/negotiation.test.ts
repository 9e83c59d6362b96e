import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { asOperator, type Gateway, multipart, startGateway } from '../../support/gateway.ts';

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway({ env: { ROLES: 'web' } });
});
afterAll(() => gateway[Symbol.asyncDispose]());

const add = 'mutation ($input: AddTicketMessageInput!) { addTicketMessage(input: $input) { __typename } }';
const input = { ticket: { ticketId: 47 }, body: 'Is it here yet?' };
const subscription = 'subscription { ticketEvents(ticket: {ticketId: 47}) { cursor } }';
const json = 'application/json; charset=utf-8';
const response = 'application/graphql-response+json; charset=utf-8';

const post = (query: string, accept: string | undefined, variables: object = {}) =>
  fetch(`${gateway.url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: asOperator,
      ...(accept === undefined ? {} : { accept }),
    },
    body: JSON.stringify({ query, variables }),
  });

describe('what a caller takes is settled before anything is done', () => {
  const unserved = [
    'text/plain',
    'text/html',
    'image/*',
    'application/xml;q=0.9',
    'application/json;q=0',
    'a',
    'multipart/form-data',
  ];
  for (const accept of [...unserved, Array.from({ length: 1200 }, (_, n) => `a/b${n}`).join(',')]) {
    test(`Accept ${accept.slice(0, 40)} alone is refused before a message is written`, async () => {
      const before = await gateway.counts();
      const form = multipart(add, { input: { ...input, attachments: [{ file: null }] } }, [Buffer.from('x')]);
      const headers = { authorization: asOperator, 'graphql-preflight': '1', accept };
      for (const answer of [
        await post(add, accept, { input }),
        await fetch(`${gateway.url}/graphql`, { method: 'POST', headers, body: form }),
      ]) {
        const { errors } = (await answer.json()) as { errors: { message: string; extensions: object }[] };
        expect([answer.status, answer.headers.get('content-type')]).toEqual([406, json]);
        expect(errors[0]!.message).toContain('application/json');
        expect(errors[0]!.message).toContain('text/event-stream');
        expect(errors[0]!.extensions).toEqual({ code: 'NOT_ACCEPTABLE' });
        expect(JSON.stringify([...answer.headers]).length).toBeLessThan(1000);
      }
      expect(await gateway.counts()).toEqual(before);
    });
  }

  test('a subscription is refused when the caller accepts only a single response', async () => {
    for (const accept of ['application/json', 'application/graphql-response+json, application/json;q=0.9']) {
      const answer = await post(subscription, accept);
      expect(answer.status).toBe(406);
      expect(await answer.text()).toMatch(/text\/event-stream or multipart\/mixed;subscriptionSpec=1.0/);
    }
  });

  test('a mutation is not carried out for who takes parts of subscriptions alone', async () => {
    const before = await gateway.counts();
    const answer = await post(add, 'multipart/mixed;boundary=graphql;subscriptionSpec=1.0', { input });
    expect(answer.status).toBe(406);
    expect(await gateway.counts()).toEqual(before);
  });
});

test('the response type is the best accepted: by quality, then by exactness, then by order', async () => {
  const expected: Record<string, string> = {
    '*/*': json,
    'application/*': json,
    'application/json': json,
    'application/json; charset=utf-8': json,
    'application/json, text/plain, */*': json,
    'application/graphql-response+json,application/json;q=0.9': response,
    'application/graphql-response+json; charset=utf-8, application/json; charset=utf-8': response,
    'application/json;q=0.5, application/graphql-response+json;q=0.6': response,
    'application/graphql-response+json;q=0.3, application/json;q=0.4': json,
    'application/json, application/graphql-response+json': json,
    [[
      ...['application/graphql-response+json', 'application/graphql+json', 'application/json'],
      ...['text/event-stream', 'multipart/mixed'],
    ].join(', ')]: response,
    'application/graphql-response+json;q=0, */*': json,
    'APPLICATION/GRAPHQL-RESPONSE+JSON': response,
    'text/event-stream': 'text/event-stream; charset=utf-8',
    'text/event-stream;q=0.5, application/json': json,
    'text/html, application/xhtml+xml, application/json;q=0.9': json,
    'multipart/mixed;deferSpec=20220824,application/graphql-response+json,application/json;q=0.9': response,
    '': json,
  };
  for (const [accept, type] of Object.entries(expected)) {
    const answer = await post('{ __typename }', accept);
    expect([accept, answer.headers.get('content-type'), answer.status]).toEqual([accept, type, 200]);
    expect(await answer.text()).toContain('{"data":{"__typename":"Query"}}');
  }
});

test('every answer forbids caching and sniffing, and its Vary names what it depends on', async () => {
  const get = `${gateway.url}/graphql?query=%7B__typename%7D`;
  for (const answer of [
    await post('{ __typename }', 'application/json'),
    await post('{', 'application/graphql-response+json'),
    await post('{ nothing }', 'text/event-stream'),
    await post('{ __typename }', 'image/png'),
    await fetch(get),
    await fetch(get, { headers: { authorization: asOperator } }),
    await fetch(get, { method: 'PUT' }),
    await fetch(get, { headers: { authorization: 'Bearer wrong' } }),
  ]) {
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    expect(answer.headers.get('vary')).toBe('Accept, Authorization');
  }
});
