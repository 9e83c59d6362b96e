import { afterAll, beforeAll, expect, test } from 'vitest';
import { asOperator, type Gateway, startGateway } from '../support/gateway.ts';

/* Every response has the request's id: the caller's own if it is harmless. */

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway({ env: { ROLES: 'web', CORS_ORIGINS: 'https://desk.example.com' } });
});
afterAll(() => gateway[Symbol.asyncDispose]());

const json = { 'content-type': 'application/json' };
const query = '{"query":"{ __typename }"}';
const requests: Record<string, [method: string, path: string, headers?: object, body?: string]> = {
  'the first page': ['GET', '/'],
  'a path of nothing': ['GET', '/nowhere'],
  health: ['GET', '/health/live'],
  metrics: ['GET', '/metrics'],
  'a query': ['POST', '/graphql', json, query],
  'a query in a URL': ['GET', '/graphql?query={__typename}'],
  'a query that is no JSON': ['POST', '/graphql', json, '{'],
  'a stream of events': ['POST', '/graphql', { ...json, accept: 'text/event-stream' }, query],
  'a form for nothing that is served': ['POST', '/graphql', { ...json, accept: 'image/png' }, query],
  'a preflight': [
    'OPTIONS',
    '/graphql',
    { origin: 'https://desk.example.com', 'access-control-request-method': 'POST' },
  ],
  'a page of another origin': ['POST', '/graphql', { ...json, origin: 'https://desk.example.com' }, query],
  'a bad credential': ['POST', '/graphql', { ...json, authorization: 'Bearer nobody' }, query],
  'the explorer': ['GET', '/graphql', { accept: 'text/html' }],
  'a file of the explorer that is not there': ['GET', '/explorer/nothing.js'],
  'a file that is not there': ['GET', '/attachments/nothing'],
  'what uploads can do': ['OPTIONS', '/uploads'],
  'an upload': ['POST', '/uploads', { 'content-type': 'text/plain' }, 'text'],
  'an upload that is not there': ['GET', '/uploads/nothing'],
  'a mail that is not there': ['GET', '/deliveries/nothing'],
  'the inbox': ['GET', '/inbox/'],
  'an old call': ['POST', '/api/Tickets/NewMessage', json, '{"TicketId":47,"Message":"x"}'],
  'an old call of nothing': ['GET', '/api/Nothing'],
  'the page of the old endpoint': ['GET', '/api'],
};

test.each(Object.entries(requests))(
  'the answer to %s names its request',
  async (_, [method, path, headers, body]) => {
    const response = await fetch(`${gateway.url}${path}`, {
      method,
      redirect: 'manual',
      headers: { authorization: asOperator, 'x-request-id': 'the-callers-own', ...headers },
      ...(body === undefined ? {} : { body }),
    });
    await response.body?.cancel();
    expect(response.headers.get('x-request-id')).toBe('the-callers-own');
  },
);

test('an id that could do harm in a log is replaced', async () => {
  const response = await fetch(`${gateway.url}/health/live`, { headers: { 'x-request-id': 'a b' } });
  expect(response.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
});
