import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { anonymousBodyBytes } from '../../../src/graphql/http/read-request.ts';
import { asOperator, type Gateway, startGateway } from '../../support/gateway.ts';
import { keepLog } from '../../support/observed/log-lines.ts';
import { rawPost, sendRaw } from '../../support/raw-http.ts';

/* A body is read the same, whether it arrives with its head, after it, or in chunks. */

let gateway: Gateway;
const kept = keepLog();
beforeAll(async () => {
  gateway = await startGateway({ env: { ROLES: 'web' }, overrides: { log: kept.log } });
});
afterAll(() => gateway[Symbol.asyncDispose]());

const query = JSON.stringify({ query: '{ __typename }' });
const tooLong = JSON.stringify({
  query: '{ __typename }',
  extensions: { x: 'x'.repeat(anonymousBodyBytes) },
});
const bodies: Readonly<Record<string, readonly [Buffer, number, RegExp]>> = {
  'a query': [Buffer.from(query), 200, /^\{"data":\{"__typename":"Query"\}\}$/],
  'with a byte order mark': [Buffer.from(`\ufeff${query}`), 200, /"__typename":"Query"/],
  'not UTF-8': [Buffer.from(query.replace('_', '\xe9'), 'latin1'), 400, /not UTF-8/],
  'not JSON': [Buffer.from('{'), 400, /not JSON/],
  empty: [Buffer.alloc(0), 400, /no body/],
  'longer than a stranger may send': [Buffer.from(tooLong), 413, /exceeds/],
};
const chunked = (body: Buffer): Buffer => {
  const pieces = [body.subarray(0, 1), body.subarray(1)].filter(({ length }) => length > 0);
  const framed = pieces.map((piece) => [`${piece.length.toString(16)}\r\n`, piece, '\r\n']);
  const head =
    'POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n' +
    'Transfer-Encoding: chunked\r\n\r\n';
  return Buffer.concat([head, ...framed.flat(), '0\r\n\r\n'].map((part) => Buffer.from(part)));
};

/** Sends the body when the gateway has said that it reads it, and returns the answer. */
async function sendAfterContinue(body: Buffer): Promise<string> {
  const whole = rawPost(body, { Expect: '100-continue', Connection: 'close' });
  const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1');
  socket.write(whole.subarray(0, whole.length - body.length));
  const [first] = (await once(socket, 'data')) as [Buffer];
  let text = first.toString('latin1');
  if (text.startsWith('HTTP/1.1 100')) socket.write(body);
  else socket.end();
  for await (const chunk of socket) text += (chunk as Buffer).toString('latin1');
  return text.replace(/^HTTP\/1\.1 100 Continue\r\n\r\n/, '');
}

test.each(Object.entries(bodies))('%s', async (_name, [body, status, says]) => {
  const answers = [
    await sendRaw(gateway.url, rawPost(body, {})),
    await sendRaw(gateway.url, rawPost(body, {}, { version: 'HTTP/1.0' })),
    await sendRaw(gateway.url, rawPost(body, { Connection: 'close' })),
    await sendRaw(gateway.url, chunked(body)),
  ];
  expect(answers.map((answer) => answer.status)).toEqual(answers.map(() => status));
  for (const answer of answers) expect(answer.body).toMatch(says);
  const later = await sendAfterContinue(body);
  expect(later).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  expect(later.slice(later.indexOf('\r\n\r\n') + 4)).toMatch(says);
});

test('requests that arrive in one packet are answered in their order', async () => {
  const named = (name: string, headers = {}) =>
    rawPost(JSON.stringify({ query: `{ ${name}: __typename }` }), headers);
  const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1');
  socket.write(Buffer.concat([named('a'), named('b'), named('c'), named('d', { Connection: 'close' })]));
  let text = '';
  for await (const chunk of socket) text += (chunk as Buffer).toString('latin1');
  expect(text.match(/\{"data.*?\}\}|HTTP\/1.1 \d+/g)).toEqual(
    ['a', 'b', 'c', 'd'].flatMap((name) => ['HTTP/1.1 200', `{"data":{"${name}":"Query"}}`]),
  );
});

test('a body of many packets is read to its end', async () => {
  const body = JSON.stringify({ query: '{ __typename }', extensions: { x: 'x'.repeat(1_000_000) } });
  const { status, body: answer } = await sendRaw(
    gateway.url,
    rawPost(body, { Authorization: asOperator, Connection: 'close' }),
  );
  expect([status, answer]).toEqual([200, '{"data":{"__typename":"Query"}}']);
});

test('a connection that is cut within a body is one line of the log, and no fault', async () => {
  const whole = rawPost(Buffer.from(query), { 'X-Request-Id': 'cut-within' });
  const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1');
  socket.write(whole.subarray(0, whole.length - 2));
  await new Promise<void>((resolve) => socket.once('connect', resolve));
  await gateway.graphql('{ __typename }');
  socket.resetAndDestroy();
  const ofIt = () => kept.lines.filter(({ requestId }) => requestId === 'cut-within');
  await expect.poll(ofIt).toEqual([expect.objectContaining({ msg: 'request', cut: true })]);
});
