import { on, once } from 'node:events';
import { connect } from 'node:net';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventsChannel } from '../../../src/db/notify-channels.ts';
import { createLog } from '../../../src/platform/log.ts';
import { openStream } from '../../support/event-stream.ts';
import { asOperator, asRequester, type Gateway, startGateway } from '../../support/gateway.ts';
import { rawPost, sendRaw } from '../../support/raw-http.ts';
import { sampled, soaking } from '../../support/soak.ts';

/* GraphQL over SSE, distinct connections mode, as its protocol has it; and what a stream needs beside it. */

const stallLimits = { checkEveryMs: 100, checks: 5, leastBytes: 1 };
const lines = new PassThrough();
/** Resolves when the gateway has logged a request whose answer was cut. */
async function cutLine(): Promise<void> {
  for await (const [line] of on(lines, 'data')) if (String(line).includes('"cut":true')) return;
}
let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway({
    env: { ROLES: 'web' },
    overrides: { stallLimits, log: createLog('info', lines.resume()) },
  });
});
afterAll(() => gateway[Symbol.asyncDispose]());

const authorization = asOperator;
const add =
  'mutation ($input: AddTicketMessageInput!) { addTicketMessage(input: $input) { ... on ' +
  'AddTicketMessagePayload { cursor ticketMessage { messageId } } } }';
async function say(body: string, ticketId = 47) {
  const { data } = await gateway.graphql<{
    addTicketMessage: { cursor: string; ticketMessage: { messageId: number } };
  }>(add, {
    input: { ticket: { ticketId }, body },
  });
  return { cursor: data.addTicketMessage.cursor, messageId: data.addTicketMessage.ticketMessage.messageId };
}
const watch =
  'subscription ($after: String) { ticketEvents(ticket: {ticketId: 47}, after: $after) { cursor ' +
  'ticketMessage { messageId } } }';
/** The content of a body in chunks. Fails unless it is well-formed to its end. */
function fromChunks(body: string): string {
  const size = /^([0-9a-f]+)\r\n/.exec(body)!;
  const end = size[0].length + Number.parseInt(size[1]!, 16);
  expect(body.slice(end, end + 2)).toBe('\r\n');
  if (size[1] !== '0') return body.slice(size[0].length, end) + fromChunks(body.slice(end + 2));
  expect(body.slice(end + 2)).toBe('');
  return '';
}
const complete = { event: 'complete', id: undefined, data: undefined };

describe('GraphQL over SSE', () => {
  test('a query is one next event and then complete', async () => {
    const stream = await openStream(gateway.url, { query: '{ __typename }' });
    expect([stream.response.status, stream.response.headers.get('content-type')]).toEqual([
      200,
      'text/event-stream; charset=utf-8',
    ]);
    expect(await stream.next()).toEqual({
      event: 'next',
      id: undefined,
      data: { data: { __typename: 'Query' } },
    });
    expect([await stream.next(), await stream.next()]).toEqual([complete, undefined]);
  });

  const query = JSON.stringify({ query: '{ __typename }' });
  const told = ':\n\nevent: next\ndata: {"data":{"__typename":"Query"}}\n\nevent: complete\ndata:\n\n';
  const accept = { Accept: 'text/event-stream' };

  test('over HTTP/1.0 nothing but the events is sent, and then the connection ends', async () => {
    const { headers, body, closed } = await sendRaw(
      gateway.url,
      rawPost(query, accept, { version: 'HTTP/1.0' }),
    );
    expect(headers).not.toHaveProperty('transfer-encoding');
    expect({ body, closed }).toEqual({ body: told, closed: true });
  });

  test('is sent in chunks, whether its request came alone or behind another one', async () => {
    const last = rawPost(query, { ...accept, Connection: 'close' });
    const alone = await sendRaw(gateway.url, last);
    expect(alone.headers).toMatchObject({ 'transfer-encoding': 'chunked' });
    expect(fromChunks(alone.body)).toBe(told);
    const behind = await sendRaw(gateway.url, Buffer.concat([rawPost(query, accept), last]));
    const second = behind.body.indexOf('HTTP/1.1 200');
    expect(fromChunks(behind.body.slice(0, second))).toBe(told);
    expect(fromChunks(behind.body.slice(behind.body.indexOf('\r\n\r\n', second) + 4))).toBe(told);
  });

  test('a mutation is carried out once and told so', async () => {
    const before = await gateway.counts();
    const input = { ticket: { ticketId: 47 }, body: 'By a stream' };
    const stream = await openStream(gateway.url, { query: add, variables: { input } }, { authorization });
    expect((await stream.next())!.data!.data).toHaveProperty('addTicketMessage.cursor');
    expect(await stream.next()).toEqual(complete);
    expect((await gateway.counts()).messages).toBe(before.messages! + 1);
  });

  const mistakes: Record<string, [body: object | string, code: string]> = {
    'a document that does not parse': [{ query: '{' }, 'GRAPHQL_PARSE_FAILED'],
    'a document that does not fit the schema': [
      { query: 'subscription { nothing }' },
      'GRAPHQL_VALIDATION_FAILED',
    ],
    'a variable that is missing': [
      { query: 'subscription ($id: Int!) { ticketEvents(ticket: {ticketId: $id}) { cursor } }' },
      'BAD_USER_INPUT',
    ],
    'a variable that does not fit': [{ query: watch, variables: { after: 7 } }, 'BAD_USER_INPUT'],
    'an operation that is not there': [{ query: watch, operationName: 'No' }, 'OPERATION_RESOLUTION_FAILURE'],
    'a hash alone': [
      { extensions: { persistedQuery: { version: 1, sha256Hash: 'a' } } },
      'PERSISTED_QUERY_NOT_SUPPORTED',
    ],
    'no query': [{}, 'BAD_REQUEST'],
    'what is no JSON': ['{', 'BAD_REQUEST'],
    'a subscription that is skipped': [
      { query: 'subscription { ticketEvents(ticket: {ticketId: 47}) @skip(if: true) { cursor } }' },
      'GRAPHQL_VALIDATION_FAILED',
    ],
    'a subscription that is skipped in a fragment': [
      {
        query:
          'subscription { ...F } fragment F on Subscription { ... @include(if: false) { ' +
          'ticketEvents(ticket: {ticketId: 47}) { cursor } } }',
      },
      'GRAPHQL_VALIDATION_FAILED',
    ],
    'a subscription that a directive may take away': [
      {
        query:
          'subscription ($c: Boolean!) { ticketEvents(ticket: {ticketId: 47}) @include(if: $c) { cursor } }',
        variables: { c: true },
      },
      'GRAPHQL_VALIDATION_FAILED',
    ],
  };
  for (const [name, [body, code]] of Object.entries(mistakes)) {
    test(`${name} is told in an accepted stream, which is complete then`, async () => {
      const stream = await openStream(gateway.url, body, { authorization });
      expect(stream.response.status).toBe(200);
      const { event, data } = (await stream.next())!;
      expect([event, data!.data, data!.errors!.map(({ extensions }) => extensions.code)]).toEqual([
        'next',
        undefined,
        [code],
      ]);
      expect([await stream.next(), await stream.next()]).toEqual([complete, undefined]);
    });
  }

  test('a field that a directive may leave out is refused for that, with a variable or not', async () => {
    for (const condition of ['true', '$c'])
      for (const directive of ['skip', 'include']) {
        const query = `subscription ($c: Boolean!) {
          ticketEvents(ticket: {ticketId: 47}) @${directive}(if: ${condition}) {
            cursor type @skip(if: $c) } }`;
        const stream = await openStream(gateway.url, { query, variables: { c: true } }, { authorization });
        expect((await stream.next())!.data!.errors!.map(({ message }) => message)).toEqual([
          'The field of a subscription cannot be skipped or included',
        ]);
      }
  });

  test.each([
    [
      'another directive',
      'subscription { ticketEvents(ticket: {ticketId: 47}) @nope { cursor } }',
      /"@nope"/,
    ],
    [
      'two fragments of one name',
      `subscription ($c: Boolean!) { ...F }
        fragment F on Subscription { ticketEvents(ticket: {ticketId: 47}) { cursor } }
        fragment F on Subscription { ticketEvents(ticket: {ticketId: 47}) @skip(if: $c) { cursor } }`,
      /cannot be skipped/,
    ],
  ])('an invalid subscription with %s is told what is wrong', async (_, query, says) => {
    const stream = await openStream(gateway.url, { query, variables: { c: true } }, { authorization });
    expect((await stream.next())!.data).toMatchObject({
      errors: [{ message: expect.stringMatching(says), extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }],
    });
  });

  test('a refusal of a subscription is told in its stream', async () => {
    for (const [credential, code] of [
      [{}, 'UNAUTHENTICATED'],
      [{ authorization: asRequester }, 'TICKET_NOT_FOUND'],
    ] as const) {
      const query = 'subscription { ticketEvents(ticket: {ticketId: 1}) { cursor } }';
      const stream = await openStream(gateway.url, { query }, credential);
      const { data } = (await stream.next())!;
      expect(data!.errors!.map(({ extensions }) => extensions.code)).toEqual([code]);
      expect(await stream.next()).toEqual(complete);
    }
  });

  test('a wrong credential is the status 401, at which a client stops', async () => {
    const stream = await openStream(gateway.url, { query: watch }, { authorization: 'Bearer wrong' });
    expect(stream.response.status).toBe(401);
    stream.leave();
  });

  test('a GET with parameters opens a stream as well, as a browser’s EventSource asks', async () => {
    const answer = await fetch(`${gateway.url}/graphql?${new URLSearchParams({ query: '{ __typename }' })}`, {
      headers: { accept: 'text/event-stream', authorization },
    });
    expect(await answer.text()).toContain(
      'event: next\ndata: {"data":{"__typename":"Query"}}\n\nevent: complete\ndata:\n\n',
    );
  });

  test('proxies are told to keep nothing back, and nothing is said to be encoded', async () => {
    const { response } = await openStream(gateway.url, { query: '{ __typename }' });
    expect(response.headers.get('x-accel-buffering')).toBe('no');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('content-encoding')).toBeNull();
    await response.body?.cancel().catch(() => {});
  });
});

describe('a stream that breaks off', () => {
  test('has an id on each event, after which Last-Event-ID goes on, whatever the variables say', async () => {
    const { cursor } = await say('before');
    const stream = await openStream(
      gateway.url,
      { query: watch, variables: { after: cursor } },
      { authorization },
    );
    const said = [await say('one'), await say('two'), await say('three')];
    const first = (await stream.next())!;
    const second = (await stream.next())!;
    stream.leave();
    expect([first.id, second.id]).toEqual([expect.any(String), expect.any(String)]);
    expect(second.data!.data).toMatchObject({
      ticketEvents: { cursor: second.id, ticketMessage: { messageId: said[1]!.messageId } },
    });
    const again = await openStream(
      gateway.url,
      { query: watch, variables: { after: cursor } },
      { authorization, 'last-event-id': second.id! },
    );
    expect((await again.next())!.data!.data).toMatchObject({
      ticketEvents: { ticketMessage: { messageId: said[2]!.messageId } },
    });
    again.leave();
  });

  test('that comes back with an empty id begins where the variables say', async () => {
    const { cursor } = await say('seen');
    const { messageId } = await say('unseen');
    const variables = { after: cursor };
    const stream = await openStream(
      gateway.url,
      { query: watch, variables },
      { authorization, 'last-event-id': '' },
    );
    expect((await stream.next())!.data!.data).toMatchObject({
      ticketEvents: { ticketMessage: { messageId } },
    });
    stream.leave();
  });

  test('that comes back with an id that is no cursor is refused', async () => {
    const stream = await openStream(
      gateway.url,
      { query: watch },
      { authorization, 'last-event-id': 'junk' },
    );
    expect((await stream.next())!.data!.errors![0]!.extensions.code).toBe('INVALID_INPUT');
  });

  // `npm test` drains a gateway in test/graphql/events.test.ts.
  test.runIf(soaking)('is cut without a word of completion when the gateway ends', async () => {
    const ending = await startGateway({ env: { ROLES: 'web' }, database: gateway.database });
    const { cursor } = await say('before the end');
    const stream = await openStream(
      ending.url,
      { query: watch, variables: { after: cursor } },
      { authorization },
    );
    const { messageId } = await say('the last that it tells');
    expect((await stream.next())!.data!.data).toMatchObject({
      ticketEvents: { ticketMessage: { messageId } },
    });
    const cut = expect(stream.next()).rejects.toThrow();
    await ending[Symbol.asyncDispose]();
    await cut;
  });

  test('is ended after the error when the database does not answer, so its reader reconnects', async () => {
    await using slow = await startGateway({
      env: { ROLES: 'web', DATABASE_TIMEOUT: '1' },
      database: gateway.database,
    });
    const { cursor } = await say('before the lock');
    const stream = await openStream(
      slow.url,
      { query: watch, variables: { after: cursor } },
      { authorization },
    );
    const { messageId } = await say('told');
    expect((await stream.next())!.data!.data).toMatchObject({
      ticketEvents: { ticketMessage: { messageId } },
    });
    await gateway.sql.begin(async (tx) => {
      await tx`lock table events in access exclusive mode`;
      await gateway.sql`select pg_notify(${eventsChannel}, '47')`;
      const { data } = (await stream.next())!;
      expect(data!.errors!.map(({ path, extensions: { code } }) => [path, code])).toEqual([
        [['ticketEvents'], 'UNAVAILABLE'],
      ]);
      await expect(stream.next()).rejects.toThrow();
    });
  });
});

describe('what is not read', () => {
  const long = 'x'.repeat(900_000);
  test('does not move, and is cut: a stream of events, and an answer in one piece', async () => {
    const messages = [];
    for (let n = 0; n < 16; n += 1) messages.push(await say(`${n} ${long}`, 46));
    const events = 'subscription { ticketEvents(ticket: {ticketId: 46}) { ticketMessage { body } } }';
    const pages =
      '{ ticket(by: {ticketId: 46}) { messages(last: 20) { edges { node { body bodyText } } } } }';
    const asked = [
      [events, 'text/event-stream'],
      [pages, 'application/json'],
    ] as const;
    for (const [query, accept] of sampled(asked, 2)) {
      const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1');
      await once(socket, 'connect');
      socket.pause();
      socket.write(rawPost(JSON.stringify({ query }), { Authorization: asOperator, Accept: accept }));
      socket.on('error', () => {});
      // A client that does not read cannot be notified; the gateway's log has a line for the cut stream.
      await cutLine();
      let text = '';
      socket
        .setEncoding('latin1')
        .on('data', (chunk) => (text += chunk))
        .resume();
      if (!socket.closed) await once(socket, 'close');
      expect(text).not.toContain('event: complete');
      expect(text.length).toBeLessThan(14_000_000);
    }
    expect((await fetch(`${gateway.url}/health/live`)).status).toBe(200);
  });
});

describe("Apollo's subscriptions over multipart", () => {
  const accept =
    'multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/graphql-response+json,' +
    'application/json;q=0.9';
  const ask = (query: string, signal?: AbortSignal, more: Record<string, string> = {}) =>
    fetch(`${gateway.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept, authorization, ...more },
      body: JSON.stringify({ query }),
      ...(signal && { signal }),
    });

  test('come in parts, each with its payload', async () => {
    const leaving = new AbortController();
    const { messageId } = await say('in parts');
    const answer = await ask(
      'subscription { ticketEvents(ticket: {ticketId: 47}) { ticketMessage { messageId } } }',
      leaving.signal,
    );
    expect(answer.headers.get('content-type')).toBe(
      'multipart/mixed; boundary="graphql"; subscriptionSpec=1.0',
    );
    let text = '';
    for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      if (text.includes(`"messageId":${messageId}`)) break;
    }
    leaving.abort();
    const parts = text.split('\r\n--graphql').filter((part) => part !== '');
    expect(parts.length).toBeGreaterThan(0);
    for (const part of parts) {
      const [head, body] = part.split('\r\n\r\n');
      expect(head).toBe('\r\nContent-Type: application/json');
      expect(JSON.parse(body!)).toHaveProperty('payload.data.ticketEvents');
    }
  });

  test('have no id: the cursor in a payload resumes them, as `after` and as Last-Event-ID', async () => {
    const { cursor } = await say('before');
    const { messageId } = await say('missed');
    const query = (after: string) =>
      `subscription { ticketEvents(ticket: {ticketId: 47} ${after}) { ticketMessage { messageId } } }`;
    const ways: [string, Record<string, string>][] = [
      [query(`after: "${cursor}"`), {}],
      [query(''), { 'last-event-id': cursor }],
    ];
    for (const [asked, headers] of ways) {
      const leaving = new AbortController();
      const answer = await ask(asked, leaving.signal, headers);
      let text = '';
      for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream())) {
        text += chunk;
        if (text.includes('messageId')) break;
      }
      leaving.abort();
      expect(/"messageId":(\d+)/.exec(text)?.[1]).toBe(String(messageId));
    }
  });

  test('bring a long event whole, as a stream of events and a single answer do', async () => {
    const body = `😀${'"é'.repeat(soaking ? 1_100_000 : 300_000)}.`;
    const { cursor } = await say(body);
    const last = 'ticket(by: {ticketId: 47}) { messages(last: 1) { nodes { body } } }';
    const leaving = new AbortController();
    const query = `subscription { ticketEvents(ticket: {ticketId: 47}) { cursor ticketMessage { body } } }`;
    const answer = await ask(query, leaving.signal);
    const chunks: string[] = [];
    for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream())) {
      chunks.push(chunk);
      if (chunk.endsWith('--graphql') && chunks.join('').includes(cursor)) break;
    }
    leaving.abort();
    const part = chunks
      .join('')
      .split('\r\n--graphql')
      .find((one) => one.includes(cursor));
    const { payload } = JSON.parse(part!.split('\r\n\r\n')[1]!);
    expect(payload.data.ticketEvents.ticketMessage.body === body).toBe(true);
    const stream = await openStream(gateway.url, { query: `{ ${last} }` }, { authorization });
    const { data } = (await stream.next())!;
    expect(data).toEqual({ data: { ticket: { messages: { nodes: [{ body }] } } } });
    expect(await stream.next()).toEqual(complete);
    const single = await gateway.graphql(`{ ${last} }`);
    expect(single.data).toEqual({ ticket: { messages: { nodes: [{ body }] } } });
  });

  test('are refused in parts too, and what is no subscription is answered as the others are', async () => {
    const refused = await (
      await ask('subscription { ticketEvents(ticket: {ticketId: 999}) { cursor } }')
    ).text();
    expect(refused).toMatch(/"payload":\{"errors":\[.*TICKET_NOT_FOUND.*\r\n--graphql--\r\n$/s);
    const wrong = await ask('subscription { nothing }');
    expect([wrong.status, wrong.headers.get('content-type')]).toEqual([
      400,
      'application/graphql-response+json; charset=utf-8',
    ]);
    expect((await ask('{ __typename }')).headers.get('content-type')).toContain('graphql-response+json');
  });
});
