import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { asOperator, type Gateway, startGateway } from '../support/gateway.ts';
import { sendRaw } from '../support/raw-http.ts';

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway({ env: { ROLES: 'web' } });
});
afterAll(() => gateway[Symbol.asyncDispose]());

interface Said {
  errors?: { message: string; extensions?: { code?: string } }[];
}
const send = async (init: RequestInit, query = '') => {
  const response = await fetch(`${gateway.url}/graphql${query}`, init);
  const { errors } = (await response.json()) as Said;
  return [response.status, errors?.map(({ extensions }) => extensions?.code)];
};
const multipart = { 'content-type': 'multipart/form-data', 'graphql-preflight': '1' };
const response = { accept: 'application/graphql-response+json' };

test('a malformed request is a 4xx and no fault of ours, signed in or not', async () => {
  for (const authorization of [{}, { authorization: asOperator }]) {
    const headers = { ...authorization, ...response };
    const answers = {
      variables: await send({ headers }, '?query=%7Bviewer%7Blogin%7D%7D&variables=%7B'),
      boundary: await send({ method: 'POST', headers: { ...headers, ...multipart }, body: 'ab' }),
      form: await send({
        method: 'POST',
        headers: { ...headers, ...multipart, 'content-type': 'multipart/form-data; boundary=x' },
        body: 'ab',
      }),
    };
    const mistake = [400, ['BAD_REQUEST']];
    expect(answers).toEqual({ variables: mistake, boundary: mistake, form: mistake });
  }
});

test('a compressed body is not unpacked', async () => {
  const body = gzipSync('{"query":"{ viewer { login } }"}');
  const headers = {
    'content-type': 'application/json',
    'content-encoding': 'gzip',
    authorization: asOperator,
  };
  expect(await send({ method: 'POST', headers: { ...headers, ...response }, body })).toEqual([
    415,
    ['BAD_REQUEST'],
  ]);
});

test('a body that is packed inside its chunks is not taken for what it contains', async () => {
  const before = await gateway.counts();
  const bodies = {
    '/graphql': '{"query":"{ viewer { login } }"}',
    '/api/Tickets/NewMessage': '{"TicketId":47,"Message":"packed"}',
    '/uploads': 'packed',
    '/nowhere': 'packed',
  };
  const say = (path: string, body: string, encoding: string) =>
    sendRaw(
      gateway.url,
      `POST ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${asOperator}\r\n` +
        `Content-Type: application/json\r\nTransfer-Encoding: ${encoding}\r\n\r\n` +
        `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
    );
  for (const [path, body] of Object.entries(bodies))
    for (const encoding of ['gzip, chunked', 'GZIP\r\nTransfer-Encoding: chunked', 'identity, chunked']) {
      const { status, body: told, closed } = await say(path, body, encoding);
      expect([path, status, closed]).toEqual([path, 501, true]);
      expect(told).toContain('The only supported Transfer-Encoding is chunked.');
    }
  expect(await gateway.counts()).toEqual(before);
  expect((await say('/graphql', bodies['/graphql'], 'Chunked')).status).toBe(200);
});

test('a stranger’s endless form is cut off', async () => {
  const form = new FormData();
  for (let n = 0; n < 40; n += 1) form.set(`field-${n}`, 'x'.repeat(500_000));
  const headers = { 'graphql-preflight': '1', ...response };
  expect(await send({ method: 'POST', headers, body: form })).toEqual([413, ['PAYLOAD_TOO_LARGE']]);
});

test('the Idempotency-Key header is refused for two mutations, however they are written', async () => {
  const one = (body: string) =>
    `addTicketMessage(input: {ticket: {ticketId: 47}, body: "${body}"}) { ... on UserError { code } }`;
  const before = await gateway.counts();
  for (const query of [
    `mutation { a: ${one('a')} b: ${one('b')} }`,
    `mutation { a: ${one('a')} ... F } fragment F on Mutation { b: ${one('b')} }`,
  ]) {
    const { data } = await gateway.graphql(query, {}, { headers: { 'idempotency-key': 'of-two' } });
    expect(data).toEqual({ a: { code: 'INVALID_INPUT' }, b: { code: 'INVALID_INPUT' } });
  }
  expect(await gateway.counts()).toEqual(before);
});

test('an instant without an offset is none', async () => {
  for (const sendAt of ['2026-12-01T10:00:00', '2026-12-01T10:00Z', '2026-12-01T10:00:00 GMT (x)']) {
    const { errors } = await gateway.graphql(
      'mutation($at: DateTime) { addTicketMessage(input: {ticket: {ticketId: 47}, body: "x", email: ' +
        '{from: "company@domain.com", sendAt: $at}}) { __typename } }',
      { at: sendAt },
    );
    expect(errors?.[0]?.message).toContain('RFC 3339');
  }
});

test('no number of made-up client programs grows the metrics without end', async () => {
  for (let n = 0; n < 150; n += 1) await gateway.legacy({}, { headers: { 'user-agent': `made-up-${n}` } });
  const metrics = await (await fetch(`${gateway.url}/metrics`)).text();
  expect(metrics.match(/client="made-up-\d+"/g)?.length ?? 0).toBeLessThanOrEqual(100);
  expect(metrics).toContain('client="other"');
});
