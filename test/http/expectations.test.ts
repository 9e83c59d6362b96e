import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { asOperator, basic, type Gateway, startGateway } from '../support/gateway.ts';

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway({ env: { ROLES: 'web' } });
});
afterAll(() => gateway[Symbol.asyncDispose]());

const legacyBody = '{"TicketId":47,"Message":"x"}';
const graphqlBody = '{"query":"{ viewer { login } }"}';

interface Request {
  method?: string;
  path?: string;
  expectation?: string;
  authorization?: string | null;
  headers?: Record<string, string>;
  body?: string;
  version?: string;
}

/** Sends a request's head, and its body after `100 Continue`. @returns the whole response */
async function waiting({
  method = 'POST',
  path = '/api/Tickets/NewMessage',
  expectation = '100-continue',
  authorization = asOperator,
  headers = {},
  body = legacyBody,
  version = '1.1',
}: Request): Promise<{ statuses: number[]; text: string }> {
  const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1');
  const lines = {
    Host: 'localhost',
    'Content-Type': 'application/json',
    'Content-Length': String(body.length),
    Expect: expectation,
    ...(authorization === null ? {} : { Authorization: authorization }),
    ...headers,
  };
  const head = Object.entries(lines).flatMap(([name, value]) => (value === '' ? [] : [`${name}: ${value}`]));
  socket.write(`${method} ${path} HTTP/${version}\r\n${head.join('\r\n')}\r\n\r\n`);
  let text = '';
  while (!/HTTP\/1\.1 [2-5][\s\S]*\r\n\r\n/.test(text)) {
    const [bytes] = (await once(socket, 'data')) as [Buffer];
    text += bytes;
    if (text === 'HTTP/1.1 100 Continue\r\n\r\n') socket.write(body);
  }
  socket.destroy();
  return { statuses: [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status)), text };
}

const graphql = { path: '/graphql', body: graphqlBody };
const wrong = basic('operator', 'wrong');

describe('a client that waits for 100 Continue', () => {
  test.each<[string, Request, number[]]>([
    ['is told to go on when its body is wanted', {}, [100, 200]],
    ['is told so by GraphQL', graphql, [100, 200]],
    ['is told so whatever the case of its header', { expectation: '100-Continue' }, [100, 200]],
    [
      'is told so when it sends in chunks',
      { headers: { 'Content-Length': '', 'Transfer-Encoding': 'chunked' }, body: '2\r\n{}\r\n0\r\n\r\n' },
      [100, 400],
    ],
    ['learns first that the path is wrong', { path: '/api/Tickets/Nope' }, [404]],
    ['learns first that no path is there', { path: '/nowhere' }, [404]],
    ['learns first that the method is wrong', { method: 'PUT' }, [405]],
    ['learns first that a credential is wanted', { authorization: null }, [401]],
    ['learns first that its credential is wrong', { authorization: wrong }, [401]],
    ['learns first that its credential is wrong, from GraphQL', { ...graphql, authorization: wrong }, [401]],
    [
      'learns first that its credential is wrong, from /uploads',
      { path: '/uploads', authorization: wrong },
      [401],
    ],
    ['learns first that its type is not read', { headers: { 'Content-Type': 'text/plain' } }, [415]],
    ['learns first that it names no type', { headers: { 'Content-Type': '' } }, [415]],
    ['learns first that its coding is not read', { headers: { 'Content-Encoding': 'gzip' } }, [415]],
    ['learns first that it announces too much', { headers: { 'Content-Length': '40000001' } }, [413]],
    [
      'learns first that it announces too much for GraphQL',
      { ...graphql, headers: { 'Content-Length': '400000000' } },
      [413],
    ],
  ])('%s', async (_name, request, statuses) => {
    const before = await gateway.counts();
    const answer = await waiting(request);
    expect(answer.statuses).toEqual(statuses);
    // Whatever comes next on that connection could be the body or a request: it is closed.
    if (statuses[0] !== 100) expect(answer.text).toMatch(/^connection: close\r$/im);
    if (statuses.at(-1) !== 200) expect(await gateway.counts()).toEqual(before);
  });
});

describe('another expectation', () => {
  test.each<[string, string, RegExp]>([
    ['/api/Tickets/NewMessage', 'application/json', /\{"Message":"[^"]+"\}$/],
    ['/graphql', 'text/plain', /expectation/],
  ])('is refused with 417 at %s', async (path, _type, said) => {
    const before = await gateway.counts();
    const answer = await waiting({ path, expectation: '200-ok' });
    expect(answer.statuses).toEqual([417]);
    expect(answer.text).toMatch(said);
    expect(await gateway.counts()).toEqual(before);
  });

  test('is nothing to HTTP/1.0, which has none', async () => {
    expect((await waiting({ version: '1.0', expectation: '200-ok', authorization: null })).statuses).toEqual([
      401,
    ]);
  });
});

test('who does not wait reads its answer, although it has sent a body that nobody wanted', async () => {
  const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1');
  socket.write(
    'POST /api/Tickets/NewMessage HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Type: ' +
      'application/json\r\nContent-Length: 300000\r\n\r\n',
  );
  socket.write('x'.repeat(300_000));
  let text = '';
  socket.on('data', (bytes) => {
    text += bytes;
  });
  await once(socket, 'end');
  expect(text).toMatch(/^HTTP\/1\.1 401 [\s\S]*"Message"/);
});
