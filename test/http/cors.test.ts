import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { asOperator, type Gateway, multipart, startGateway } from '../support/gateway.ts';

const page = 'https://desk.example.com';
const other = 'http://localhost:5173';
let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway({ env: { ROLES: 'web', CORS_ORIGINS: `${page}, ${other}` } });
});
afterAll(() => gateway[Symbol.asyncDispose]());

const preflight = (path: string, origin: string, method: string, headers: string, url = gateway.url) =>
  fetch(`${url}${path}`, {
    method: 'OPTIONS',
    headers: { origin, 'access-control-request-method': method, 'access-control-request-headers': headers },
  });
const list = (text: string | null) => (text ?? '').toLowerCase().split(/\s*,\s*/);
const ask = (origin: string, url = gateway.url) =>
  fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { origin, 'content-type': 'application/json', authorization: asOperator },
    body: '{"query":"{ viewer { login } }"}',
  });

describe('a page of a listed origin', () => {
  const wanted: Record<string, [path: string, method: string, headers: string]> = {
    'asks by POST': ['/graphql', 'POST', 'authorization,content-type'],
    'asks with a key of idempotency': ['/graphql', 'POST', 'idempotency-key,content-type,x-request-id'],
    'sends files': ['/graphql', 'POST', 'graphql-preflight,authorization'],
    'sends files as Apollo does': ['/graphql', 'POST', 'apollo-require-preflight,x-apollo-operation-name'],
    'resumes a stream': ['/graphql', 'POST', 'last-event-id,accept,content-type'],
    'reads a part of a file': ['/attachments/x', 'GET', 'authorization,range,if-range'],
    'reads a mail’s source': ['/deliveries/x/source', 'GET', 'authorization'],
  };
  for (const [name, [path, method, headers]] of Object.entries(wanted)) {
    test(`${name}: is told that it may, for each header that it asks for`, async () => {
      for (const origin of [page, other]) {
        const answer = await preflight(path, origin, method, headers);
        expect(answer.status).toBe(204);
        expect(answer.headers.get('access-control-allow-origin')).toBe(origin);
        expect(answer.headers.get('access-control-allow-credentials')).toBe('true');
        expect(list(answer.headers.get('access-control-allow-methods'))).toContain(method.toLowerCase());
        expect(list(answer.headers.get('access-control-allow-headers'))).toEqual(
          expect.arrayContaining(headers.split(',')),
        );
        expect(answer.headers.get('vary')).toContain('Origin');
      }
    });
  }

  test('may send what an upload in parts takes', async () => {
    const headers = 'upload-offset,upload-length,upload-complete,upload-draft-interop-version,content-type';
    for (const method of ['POST', 'PATCH', 'HEAD', 'DELETE']) {
      const answer = await preflight('/graphql', page, method, headers);
      expect(list(answer.headers.get('access-control-allow-headers'))).toEqual(
        expect.arrayContaining(headers.split(',')),
      );
      expect(list(answer.headers.get('access-control-allow-methods'))).toContain(method.toLowerCase());
    }
  });

  test('may read the answer, whatever it is, and the headers that tell of it', async () => {
    const wrong = fetch(`${gateway.url}/graphql`, {
      method: 'POST',
      headers: { origin: page, authorization: 'Bearer wrong' },
      body: '{',
    });
    const file = fetch(`${gateway.url}/attachments/none`, {
      headers: { origin: page, authorization: asOperator },
    });
    for (const answer of await Promise.all([ask(page), wrong, file])) {
      expect(answer.headers.get('access-control-allow-origin')).toBe(page);
      const exposed = list(answer.headers.get('access-control-expose-headers'));
      expect(exposed).toEqual(
        expect.arrayContaining([
          'x-request-id',
          'retry-after',
          'location',
          'upload-offset',
          'content-disposition',
        ]),
      );
    }
    expect((await ask(page)).headers.get('vary')).toBe('Origin, Accept, Authorization');
  });

  test('may send a form when it asks first', async () => {
    const query =
      'mutation ($input: AddTicketMessageInput!) { addTicketMessage(input: $input) { __typename } }';
    const variables = { input: { ticket: { ticketId: 47 }, body: 'x', attachments: [{ file: null }] } };
    const send = (more: Record<string, string>) =>
      fetch(`${gateway.url}/graphql`, {
        method: 'POST',
        headers: { origin: page, 'sec-fetch-site': 'cross-site', authorization: asOperator, ...more },
        body: multipart(query, variables, [Buffer.from('x')]),
      });
    expect([(await send({})).status, (await send({ 'graphql-preflight': '1' })).status]).toEqual([403, 200]);
  });
});

test('a page of any other origin is told nothing that its browser takes for a yes', async () => {
  for (const origin of [
    'https://evil.example.com',
    'https://desk.example.com.evil.test',
    'http://desk.example.com',
    'https://desk.example.com:444',
    'null',
  ]) {
    for (const answer of [await preflight('/graphql', origin, 'POST', 'content-type'), await ask(origin)]) {
      expect(answer.headers.get('access-control-allow-origin')).toBeNull();
      expect(answer.headers.get('access-control-allow-headers')).toBeNull();
      expect(answer.headers.get('vary')).toContain('Origin');
    }
  }
});

test('doors for no page of elsewhere stay closed', async () => {
  for (const path of ['/api/Tickets/NewMessage', '/metrics', '/health/live', '/']) {
    const answer = await preflight(path, page, 'POST', 'content-type');
    expect([path, answer.headers.get('access-control-allow-origin')]).toEqual([path, null]);
  }
});

test('with * every page may ask, and none with what its browser adds by itself', async () => {
  await using open = await startGateway({
    env: { ROLES: 'web', CORS_ORIGINS: '*' },
    database: gateway.database,
  });
  for (const answer of [
    await preflight('/graphql', 'https://any.test', 'POST', 'content-type', open.url),
    await ask('https://any.test', open.url),
  ]) {
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
    expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
  }
});

test('without the setting nothing is said of it, and a preflight is a method that is not taken', async () => {
  await using closed = await startGateway({ env: { ROLES: 'web' }, database: gateway.database });
  const answer = await preflight('/graphql', page, 'POST', 'content-type', closed.url);
  expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([405, null]);
});

test('what is no origin is an error of the setting', () => {
  for (const origins of [
    'desk.example.com',
    'https://desk.example.com/',
    'https://*.example.com',
    'https://desk.example.com:443',
    'ftp://a',
    'HTTPS://DESK.example.com',
    'a b',
  ])
    expect(() => readConfig({ CORS_ORIGINS: origins })).toThrow('CORS_ORIGINS');
  expect([...readConfig({ CORS_ORIGINS: 'https://a.test , http://b.test:8080,' }).corsOrigins]).toEqual([
    'https://a.test',
    'http://b.test:8080',
  ]);
});
