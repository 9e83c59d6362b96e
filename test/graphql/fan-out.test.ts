import { afterAll, beforeAll, expect, test } from 'vitest';
import { createToken } from '../../src/auth/tokens.ts';
import { type OpenedStream, openStream } from '../support/event-stream.ts';
import { asOperator, asRequester, type Gateway } from '../support/gateway.ts';
import { leastOf } from '../support/observed/least-of.ts';
import { startCountedGateway } from '../support/servers/counted-gateway.ts';
import { sampled, soaking } from '../support/soak.ts';
import { add, ask } from '../tickets/calls.ts';
import type { StatementCounter } from './statement-counter.ts';

/* However many watch, an event is read, executed and written once for all who watch the same. */

const parts = new AsyncDisposableStack();
let gateway: Gateway;
let counter: StatementCounter;
let aheadMs = 0;
beforeAll(async () => {
  const start = Date.now();
  // A credential that was looked up stays good until the test says otherwise.
  const now = () => new Date(start + aheadMs);
  ({ gateway, counter } = parts.use(await startCountedGateway({ now })));
});
afterAll(() => parts[Symbol.asyncDispose]());

/** How many watch, of those who are many. */
const crowd = soaking ? 40 : 20;

const fields = `cursor type at actor { name email } delivery { bcc }
  ticketMessage { messageId bodyText author { name } attachments { fileName } ticket { reference } }`;
const query = `subscription ($after: String) {
  ticketEvents(ticket: { ticketId: 47 }, after: $after) { ${fields} } }`;

/** Watchers of ticket 47 that have received the last event so far. */
async function watching(count: number, authorizations: readonly string[]): Promise<OpenedStream[]> {
  const after = await Promise.all(authorizations.map(cursorFor));
  await add(gateway, { body: 'the first' });
  const opened = Array.from({ length: count }, (_, n) => {
    const at = n % authorizations.length;
    const headers = { authorization: authorizations[at]! };
    return openStream(gateway.url, { query, variables: { after: after[at] } }, headers);
  });
  const streams = await Promise.all(opened);
  await Promise.all(streams.map((stream) => told(stream, 'the first')));
  return streams;
}

async function cursorFor(authorization: string): Promise<string> {
  const ticket = '{ ticket(by: { ticketId: 47 }) { cursor } }';
  return (await ask<{ cursor: string }>(gateway, ticket, {}, { authorization })).cursor;
}

/** The first event with this body, as it was written. */
async function told(stream: OpenedStream, body: string): Promise<string> {
  for (;;) {
    const text = JSON.stringify((await stream.next())!.data);
    if (text.includes(`"bodyText":"${body}"`)) return text;
  }
}

/** Statements from a message until all watchers have received it. */
async function statementsOf(streams: readonly OpenedStream[], body: string): Promise<number> {
  const before = counter.executed;
  const all = Promise.all(streams.map((stream) => told(stream, body)));
  await add(gateway, { body });
  await all;
  return counter.executed - before;
}

const leastFor = (streams: readonly OpenedStream[]): Promise<number> =>
  leastOf((n) => statementsOf(streams, `event ${n} of ${streams.length}`));

const ofDesk = `subscription ($after: String) { deskEvents(after: $after) { ${fields} } }`;
test.each([
  ['ticketEvents', query, () => cursorFor(asOperator)],
  [
    'deskEvents',
    ofDesk,
    async () => ask<string>(gateway, '{ deskCursor }', {}, { authorization: asOperator }),
  ],
])('those who come back together are told what they missed by the statements of one: %s', async (...at) => {
  const [, document, cursor] = at;
  const after = await cursor();
  for (let n = 0; n < 10; n += 1) await add(gateway, { body: `missed ${n}` });
  const statements = await leastOf(async () => {
    const before = counter.executed;
    const opened = Array.from({ length: crowd }, () =>
      openStream(gateway.url, { query: document, variables: { after } }, { authorization: asOperator }),
    );
    const streams = await Promise.all(opened);
    await Promise.all(streams.map((stream) => told(stream, 'missed 9')));
    leave(streams);
    return counter.executed - before;
  });
  // One for each watcher that looks up its ticket or cursor, and those of the events that all receive.
  expect(statements).toBeLessThan(2 * crowd);
});

async function tokens(count: number): Promise<string[]> {
  const made = [];
  for (let n = 0; n < count; n += 1) {
    const { token } = await createToken(gateway.database.database.desk, {
      userId: 1,
      name: `watcher ${n}`,
      scopes: ['read'],
    });
    made.push(`Bearer ${token}`);
  }
  return made;
}

/** Different operators. */
async function colleagues(count: number): Promise<string[]> {
  const users = await gateway.sql<{ id: number }[]>`
    insert into users (login, name, role)
    select gen_random_uuid()::text, 'Colleague', 'OPERATOR' from generate_series(1, ${count}) returning id`;
  const made = users.map(({ id }) =>
    createToken(gateway.database.database.desk, { userId: id, name: 'x', scopes: ['read'] }),
  );
  return (await Promise.all(made)).map(({ token }) => `Bearer ${token}`);
}

const leave = (streams: readonly OpenedStream[]) => streams.forEach((stream) => void stream.leave());

const watchers: [string, () => Promise<string[]>][] = [
  ['both', async () => [asOperator, asRequester]],
  ['an operator', async () => [asOperator]],
  ['operators', () => colleagues(crowd - 2)],
  ['requesters', async () => [asRequester]],
];
test.each(sampled(watchers, 4))(
  'an event takes as many statements for many watchers as for 2: %s',
  async (_, who) => {
    const few = await watching(2, await who());
    const forFew = await leastFor(few);
    const many = [...few, ...(await watching(crowd - 2, await who()))];
    const forMany = await leastFor(many);
    leave(many);
    expect(forMany).toBeLessThanOrEqual(forFew);
  },
);

test('credentials that are no longer believed are looked up together', async () => {
  const own = await tokens(crowd);
  const streams = await watching(crowd, own);
  const believed = await leastFor(streams);
  const unbelieved = await leastOf((n) => {
    aheadMs += 30_000;
    return statementsOf(streams, `not believed ${n}`);
  });
  // One statement for the watchers' tokens, one for the writer's login.
  expect(unbelieved).toBeLessThanOrEqual(believed + 3);
  leave(streams);
});

test('what an answer says of who the viewer is, is said to that viewer alone', async () => {
  const url = `subscription { ticketEvents(ticket: { ticketId: 47 }) {
    ticketMessage { bodyText attachments { url } } } }`;
  const colleague = await gateway.sql<{ id: number }[]>`
    insert into users (login, name, role) values ('colleague', 'Colleague', 'OPERATOR') returning id`;
  const { token } = await createToken(gateway.database.database.desk, {
    userId: colleague[0]!.id,
    name: 'x',
    scopes: ['read', 'write', 'mail', 'admin'],
  });
  const [one, other] = await Promise.all(
    [asOperator, `Bearer ${token}`].map((authorization) =>
      openStream(gateway.url, { query: url }, { authorization }),
    ),
  );
  const seen = Promise.all([told(one!, 'with a file'), told(other!, 'with a file')]);
  await add(gateway, { body: 'with a file', attachments: [{ file: null }] }, { files: [Buffer.from('x')] });
  const viewers = (await seen).map((text) => /viewer=(\d+)/.exec(text)?.[1]);
  expect(viewers).toEqual(['1', String(colleague[0]!.id)]);
  leave([one!, other!]);
});

test('operators who watch by two documents are each told how much they have not seen', async () => {
  const shown = 'ticketMessage { bodyText ticket { unseenCount } }';
  const documents = [shown, `type ${shown}`].map(
    (some) => `subscription ($after: String) {
      ticketEvents(ticket: { ticketId: 47 }, after: $after) { ${some} } }`,
  );
  const [one, other] = await colleagues(2);
  const after = await cursorFor(one!);
  const { ticketMessage } = await add(gateway, { body: 'before' }, { authorization: asRequester });
  const mark = `mutation { markSeen(input: {
    ticket: { ticketId: 47 }, message: "${ticketMessage.id}" }) { __typename } }`;
  await ask(gateway, mark, {}, { authorization: one! });
  const opened = [one!, other!].flatMap((authorization) =>
    documents.map((query) => openStream(gateway.url, { query, variables: { after } }, { authorization })),
  );
  const streams = await Promise.all(opened);
  const seen = Promise.all(streams.map((stream) => told(stream, 'to be counted')));
  await add(gateway, { body: 'to be counted' }, { authorization: asRequester });
  const counts = (await seen).map((text) => Number(/"unseenCount":(\d+)/.exec(text)![1]));
  expect(counts.slice(0, 2)).toEqual([1, 1]);
  expect(counts[2]).toBeGreaterThan(1);
  expect(counts[3]).toBe(counts[2]);
  leave(streams);
});

test('a variable that is left out has its default, though another watcher sends null for it', async () => {
  const document = `subscription ($first: Int = 1) { ticketEvents(ticket: { ticketId: 47 }) {
    ticketMessage { bodyText ticket { messages(first: $first) { nodes { id } } } } } }`;
  const streams = await Promise.all(
    [{}, { first: null }, {}].map((variables) =>
      openStream(gateway.url, { query: document, variables }, { authorization: asOperator }),
    ),
  );
  const seen = Promise.all(streams.map((stream) => told(stream, 'to both')));
  await add(gateway, { body: 'to both' });
  const [byDefault, byNull, again] = (await seen).map((text) => text.match(/"id"/g)!.length);
  expect([byDefault, again]).toEqual([1, 1]);
  expect(byNull).toBeGreaterThan(1);
  leave(streams);
});

test('operators who see different things are told different things', async () => {
  const [own] = await tokens(1);
  const requesters = await watching(1, [asRequester]);
  const operators = await watching(2, [asOperator, own!]);
  const all = [...requesters, ...operators];
  const seen = Promise.all(all.map((stream) => told(stream, 'to a customer')));
  await add(gateway, {
    body: 'to a customer',
    email: { from: 'company@domain.com', bcc: ['boss@domain.com'], holdSeconds: 3600 },
  });
  const texts = await seen;
  expect(texts.map((text) => text.includes('boss@domain.com'))).toEqual([false, true, true]);
  leave(all);
});
