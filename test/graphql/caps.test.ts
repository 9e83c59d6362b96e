import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openStream } from '../support/event-stream.ts';
import { asOperator, asRequester, type Gateway, multipart, startGateway } from '../support/gateway.ts';

/* What one user may have open at a time. */

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway({ env: { ROLES: 'web', MAX_SUBSCRIPTIONS: '3', MAX_OPEN_FORMS: '2' } });
});
afterAll(() => gateway[Symbol.asyncDispose]());

const watch = (ticketId: number) => ({
  query: `subscription { ticketEvents(ticket: {ticketId: ${ticketId}}) { type } }`,
});
/** Opens a subscription and waits for its first message. */
async function watching(authorization: string, ticketId = 47) {
  const stream = await openStream(gateway.url, watch(ticketId), { authorization });
  return { stream, first: (await stream.next())!.data! };
}
const codeOf = (told: Awaited<ReturnType<typeof watching>>['first']) => told.errors?.[0]?.extensions.code;

test('subscriptions: the next one is refused in its stream, by its code, until one ends', async () => {
  await gateway.graphql(
    'mutation { addTicketMessage(input: {ticket: {ticketId: 47}, body: "to be told"}) { __typename } }',
  );
  // Refused ones take no place.
  for (let n = 0; n < 5; n += 1)
    expect(codeOf((await watching(asRequester, 1)).first)).toBe('TICKET_NOT_FOUND');
  const open = [];
  for (let n = 0; n < 3; n += 1) {
    open.push(await watching(asRequester));
    expect(codeOf(open[n]!.first)).toBeUndefined();
  }
  const { stream, first } = await watching(asRequester);
  expect(first.errors).toMatchObject([
    {
      message: expect.stringContaining('3 subscriptions'),
      path: ['ticketEvents'],
      extensions: { code: 'TOO_MANY_SUBSCRIPTIONS', retryable: true },
    },
  ]);
  expect((await stream.next())?.event).toBe('complete');
  const parts = await fetch(`${gateway.url}/graphql`, {
    method: 'POST',
    headers: {
      ...{ 'content-type': 'application/json', accept: 'multipart/mixed;subscriptionSpec=1.0' },
      authorization: asRequester,
    },
    body: JSON.stringify(watch(47)),
  });
  expect(await parts.text()).toContain('TOO_MANY_SUBSCRIPTIONS');
  const other = await watching(asOperator);
  expect(codeOf(other.first)).toBeUndefined();
  open[1]!.stream.leave();
  await expect.poll(async () => codeOf((await watching(asRequester)).first)).toBeUndefined();
  for (const { stream } of [...open, other]) stream.leave();
});

test('the request of a subscription, which is kept while it is open, has 64 KiB at most', async () => {
  const { query } = watch(47);
  const long = 'x'.repeat(65_000);
  const authorization = asOperator;
  const stream = await openStream(gateway.url, { query, variables: { long } }, { authorization });
  expect(stream.response.status).toBe(200);
  stream.leave();
  for (const asked of [
    { query, variables: { long: long + long } },
    { query: `${query} #${long}${long}`, variables: {} },
  ]) {
    const refused = await gateway.graphql(asked.query, asked.variables, {
      headers: { accept: 'text/event-stream, application/json;q=0.5' },
    });
    expect([refused.status, refused.errors]).toMatchObject([
      413,
      [{ extensions: { code: 'PAYLOAD_TOO_LARGE' } }],
    ]);
  }
});

test('a subscription is measured whatever its variables are', async () => {
  const { query } = watch(47);
  const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
  const response = await fetch(`${gateway.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream', authorization: asOperator },
    body: `{"query":${JSON.stringify(query)},"variables":{"unused":{"toJSON":1,"deep":${deep}}}}`,
  });
  expect([response.status, response.headers.get('content-type')]).toEqual([
    200,
    'text/event-stream; charset=utf-8',
  ]);
  await response.body!.cancel();
});

test('forms that are on their way: the next one is told when to come back, until one has ended', async () => {
  const query =
    'mutation ($input: AddTicketMessageInput!) { addTicketMessage(input: $input) { __typename } }';
  const input = { ticket: { ticketId: 47 }, body: 'with a file', attachments: [{ file: null }] };
  const encoded = new Response(multipart(query, { input }, [Buffer.alloc(1000, 'x')]));
  const type = encoded.headers.get('content-type')!;
  const body = Buffer.from(await encoded.arrayBuffer());
  /** A form of which the end is still to come. */
  const begin = async () => {
    const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1');
    await once(socket, 'connect');
    const head =
      `POST /graphql HTTP/1.1\r\nHost: x\r\nAuthorization: ${asRequester}\r\nContent-Type: ` +
      `${type}\r\nContent-Length: ${body.length}\r\n\r\n`;
    socket.write(Buffer.concat([Buffer.from(head), body.subarray(0, -200)]));
    return { socket, answer: once(socket, 'data').then(String) };
  };
  type Begun = Awaited<ReturnType<typeof begin>>;
  const send = (authorization: string) =>
    fetch(`${gateway.url}/graphql`, {
      method: 'POST',
      headers: { authorization, 'content-type': type },
      body,
    });
  /** The one of several that is answered before its end has come. */
  const refusedOf = (all: readonly Begun[]) =>
    Promise.race(all.map(async (one) => ({ one, answer: await one.answer })));

  const three = await Promise.all([begin(), begin(), begin()]);
  const { one: refused, answer } = await refusedOf(three);
  expect(answer).toMatch(/^HTTP\/1\.1 429 .*\r\nRetry-After: 5\r\n/s);
  expect(JSON.parse(answer.slice(answer.indexOf('{')))).toEqual({
    errors: [
      {
        message: expect.stringContaining('2 forms'),
        extensions: { code: 'TOO_MANY_UPLOADS', retryable: true },
      },
    ],
  });
  expect((await send(asRequester)).status).toBe(429);
  expect((await send(asOperator)).status).toBe(200);
  const [completed, givenUp] = three.filter((one) => one !== refused);
  completed!.socket.write(body.subarray(-200));
  expect(await completed!.answer).toContain('AddTicketMessagePayload');
  expect((await send(asRequester)).status).toBe(200);
  const two = await Promise.all([begin(), begin()]);
  expect((await refusedOf(two)).answer).toMatch(/^HTTP\/1\.1 429 /);
  givenUp!.socket.destroy();
  await expect.poll(async () => (await send(asRequester)).status).toBe(200);
  for (const { socket } of [...three, ...two]) socket.destroy();
});
