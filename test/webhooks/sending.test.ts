import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import {
  addWebhook,
  disableWebhook,
  enableWebhook,
  type NewWebhook,
  removeWebhook,
  rotateSecret,
} from '../../src/webhooks/administration.ts';
import { deskCursorOfNow } from '../support/cursor.ts';
import { createTestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { add } from '../tickets/calls.ts';
import { type Received, startReceiver, verify } from './receiver.ts';

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway({ env: { WEBHOOK_PRIVATE_ADDRESSES: '1' } });
});
afterEach(async () => {
  await gateway.sql`delete from webhooks`;
  await gateway.sql`delete from audit_entries`;
});
afterAll(() => gateway[Symbol.asyncDispose]());

/** The gateway, whose worker has these endpoints alone, each with its own path at one receiver. */
async function startWorld(...endpoints: Partial<NewWebhook>[]) {
  // What earlier tests have written is before the endpoints' beginning.
  await deskCursorOfNow(gateway);
  const receiver = await startReceiver();
  const { desk } = gateway.database.database;
  const added: Awaited<ReturnType<typeof addWebhook>>[] = [];
  for (const [n, more] of endpoints.entries()) {
    const one = { url: `${receiver.url}/${n}`, types: null, includesPrivate: false, ...more };
    added.push(await desk.transaction((tx) => addWebhook(tx, one)));
  }
  return { desk, receiver, added, [Symbol.asyncDispose]: () => receiver[Symbol.asyncDispose]() };
}

const say = async (gateway: Gateway, input: object = {}) =>
  (await add(gateway, input)).ticketMessage.messageId;

const row = async ({ sql }: Gateway) => (await sql`select * from webhooks`)[0]!;
const messageOf = ({ body }: Received): number => JSON.parse(body).data.ticketMessage.messageId;
const idOf = ({ headers }: Received) => headers['webhook-id'];

/** What failed is tried again at once, and not after its back-off. */
async function hurry(gateway: Gateway, failures: number): Promise<void> {
  await eventually(async () => (await row(gateway)).failures === failures);
  await gateway.sql`update webhooks set due_at = now()`;
  await gateway.sql`select pg_notify('ticketwire_events', '0')`;
}

test('an endpoint is told of each public event once, in order, and its secret verifies it', async () => {
  await using world = await startWorld({}, { includesPrivate: true }, { types: ['TICKET_CLOSED'] });
  const { receiver, added } = world;
  const first = await say(gateway);
  const note = await say(gateway, { visibility: 'PRIVATE', body: 'CANARY note' });
  const second = await say(gateway, { body: 'CANARY text' });
  const told = await receiver.has(2, '/0');
  const toldAll = await receiver.has(3, '/1');
  expect(told.map(messageOf)).toEqual([first, second]);
  expect(toldAll.map(messageOf)).toEqual([first, note, second]);
  expect(told.map(idOf)).toEqual([toldAll[0], toldAll[2]].map((one) => idOf(one!)));
  expect(JSON.parse(told[0]!.body)).toEqual({
    type: 'MESSAGE_ADDED',
    timestamp: expect.stringMatching(/^\d{4}-.*Z$/),
    data: {
      visibility: 'PUBLIC',
      ticket: { id: expect.any(String), ticketId: 47, reference: 'INC-000047' },
      ticketMessage: { id: expect.any(String), messageId: first },
      actor: { id: expect.any(String) },
    },
  });
  expect(JSON.parse(toldAll[0]!.body).data).toMatchObject({ delivery: null, cursor: expect.any(String) });
  for (const one of told) {
    expect(await verify(one, added[0]!.secret)).toEqual([true]);
    expect(await verify(one, added[1]!.secret)).toEqual([false]);
  }
  expect(await receiver.has(0, '/2')).toEqual([]);
  expect(JSON.stringify(receiver.received)).not.toContain('CANARY');
});

test('what fails is sent again with the same id, and later events wait for it', async () => {
  await using world = await startWorld({});
  const { receiver } = world;
  receiver.respond = (res, _one, nth) => void res.writeHead(nth <= 2 ? 500 : 200).end('x');
  const messages = [await say(gateway), await say(gateway)];
  await hurry(gateway, 1);
  await hurry(gateway, 2);
  const told = await receiver.has(4);
  expect(told.map(messageOf)).toEqual([messages[0], messages[0], messages[0], messages[1]]);
  expect(new Set(told.slice(0, 3).map(idOf)).size).toBe(1);
  expect(receiver.atOnce).toBe(1);
  await eventually(async () => (await row(gateway)).delivered === '2');
  expect(await row(gateway)).toMatchObject({ failures: 0, failing_since: null, last_error: null });
});

test('Retry-After is honoured, and a redirect is not followed', async () => {
  await using world = await startWorld({});
  const { receiver } = world;
  receiver.respond = (res, _one, nth) => {
    if (nth === 1) return void res.writeHead(503, { 'Retry-After': '7200' }).end();
    res.writeHead(nth === 2 ? 307 : 204, { Location: `${receiver.url}/elsewhere` }).end();
  };
  await say(gateway);
  await eventually(async () => (await row(gateway)).failures === 1);
  const [{ ms }] = await gateway.sql<[{ ms: number }]>`
    select extract(epoch from due_at - failing_since)::float8 * 1000 as ms from webhooks`;
  expect(ms).toBeGreaterThanOrEqual(7_199_000);
  await hurry(gateway, 1);
  await hurry(gateway, 2);
  await eventually(async () => (await row(gateway)).delivered === '1');
  expect(receiver.received.map(({ path }) => path)).toEqual(['/0', '/0', '/0']);
});

test('410 disables an endpoint, and so do days of failures; both are audited', async () => {
  await using world = await startWorld({});
  const { receiver, desk, added } = world;
  const { id } = added[0]!;
  receiver.respond = (res) => void res.writeHead(410).end();
  await say(gateway);
  await eventually(async () => (await row(gateway)).disabled_reason === 'GONE');
  receiver.respond = (res) => void res.writeHead(500).end();
  await desk.transaction((tx) => enableWebhook(tx, id, false));
  await eventually(async () => (await row(gateway)).failures === 1);
  await gateway.sql`update webhooks set failing_since = now() - interval '5 days 1 minute'`;
  await hurry(gateway, 1);
  await eventually(async () => (await row(gateway)).disabled_reason === 'FAILING');
  const audits = await gateway.sql`
    select details from audit_entries where action = 'WEBHOOK_DISABLED' order by id`;
  expect(audits.map(({ details }) => details)).toEqual(
    ['GONE', 'FAILING'].map((reason) => ({ by: 'worker', webhookId: id, reason })),
  );
  receiver.respond = (res) => void res.writeHead(204).end();
  const told = receiver.received.length;
  await desk.transaction((tx) => enableWebhook(tx, id, false));
  const all = await receiver.has(told + 1);
  expect(new Set(all.map(idOf)).size).toBe(1);
});

test('an endpoint gets what it missed while it was disabled, unless it skips that', async () => {
  await using world = await startWorld({});
  const { receiver, desk, added } = world;
  const { id } = added[0]!;
  const seen = [await say(gateway)];
  await receiver.has(1);
  await eventually(async () => (await row(gateway)).delivered === '1');
  await desk.transaction((tx) => disableWebhook(tx, id));
  seen.push(await say(gateway));
  await desk.transaction((tx) => enableWebhook(tx, id, false));
  await receiver.has(2);
  await eventually(async () => (await row(gateway)).delivered === '2');
  await desk.transaction((tx) => disableWebhook(tx, id));
  await say(gateway);
  await deskCursorOfNow(gateway);
  await desk.transaction((tx) => enableWebhook(tx, id, true));
  seen.push(await say(gateway));
  expect((await receiver.has(3)).map(messageOf)).toEqual(seen);
});

test('a clock that is set back makes no endpoint wait for its lease or its next request', async () => {
  await using database = await createTestDatabase('demo');
  await using receiver = await startReceiver();
  const { desk, raw } = database.database;
  await desk.transaction((tx) =>
    addWebhook(tx, { url: `${receiver.url}/0`, types: null, includesPrivate: false }),
  );
  // As a worker leaves it that is killed before the clock is set back by a year.
  await raw`update webhooks set due_at = now() + interval '1 year', lease_token = gen_random_uuid(),
    lease_until = now() + interval '1 year'`;
  await using later = await startGateway({ database, env: { WEBHOOK_PRIVATE_ADDRESSES: '1' } });
  const said = await say(later);
  expect((await receiver.has(1, '/0')).map(messageOf)).toEqual([said]);
});

test('while a secret is replaced, a request is signed by both', async () => {
  await using world = await startWorld({});
  const { receiver, desk, added } = world;
  const old = added[0]!;
  const renewed = await desk.transaction((tx) => rotateSecret(tx, old.id, 24));
  await say(gateway);
  const [both] = await receiver.has(1);
  expect(await verify(both!, renewed!)).toEqual([true, false]);
  expect(await verify(both!, old.secret)).toEqual([false, true]);
  const last = await desk.transaction((tx) => rotateSecret(tx, old.id, 0));
  await say(gateway);
  const [, one] = await receiver.has(2);
  expect(await verify(one!, last!)).toEqual([true]);
});

test('two workers on one desk tell an endpoint of each event once', async () => {
  await using world = await startWorld({});
  const { receiver } = world;
  await using other = await startGateway({
    database: gateway.database,
    env: { WEBHOOK_PRIVATE_ADDRESSES: '1' },
  });
  const messages: number[] = [];
  for (const each of [gateway, other, gateway, other]) messages.push(await say(each));
  await receiver.has(4);
  await eventually(async () => (await row(gateway)).delivered === '4');
  expect(receiver.received.map(messageOf)).toEqual(messages);
  expect(receiver.atOnce).toBe(1);
});

test('an endpoint that is removed within a request is sent nothing more, and others go on', async () => {
  await using world = await startWorld({}, {});
  const { receiver, desk, added } = world;
  let answer: (() => void) | undefined;
  receiver.respond = (res, { path }) => {
    if (path === '/0') answer = () => void res.writeHead(500).end();
    else res.writeHead(204).end();
  };
  const first = await say(gateway);
  await receiver.has(1, '/0');
  await desk.transaction((tx) => removeWebhook(tx, added[0]!.id));
  answer!();
  const second = await say(gateway);
  expect((await receiver.has(2, '/1')).map(messageOf)).toEqual([first, second]);
  expect(await receiver.has(1, '/0')).toHaveLength(1);
  await eventually(async () => (await row(gateway)).delivered === '2');
});
