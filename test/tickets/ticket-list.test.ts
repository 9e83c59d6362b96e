import { afterAll, beforeAll, expect, test } from 'vitest';
import { encodeGlobalId } from '../../src/platform/global-id.ts';
import { asOperator, asRequester, type Gateway, startGateway } from '../support/gateway.ts';
import { sampled } from '../support/soak.ts';
import { add, ask } from './calls.ts';

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway({ env: { ROLES: 'web' } });
});
afterAll(() => gateway[Symbol.asyncDispose]());

interface Listed {
  totalCount: number;
  totalCountIsExact: boolean;
  pageInfo: { hasNextPage: boolean; startCursor: string; endCursor: string };
  nodes: {
    ticketId: number;
    lastMessageAt: string | null;
    lastMessage: { messageId: number; visibility: string; bodyText: string; createdAt: string } | null;
  }[];
}
const list = (args: string, authorization = asOperator) =>
  ask<Listed>(
    gateway,
    `{ tickets(${args}) { totalCount totalCountIsExact pageInfo { hasNextPage startCursor endCursor }
      nodes { ticketId lastMessageAt lastMessage { messageId visibility bodyText createdAt } } } }`,
    {},
    { authorization },
  );
const ids = ({ nodes }: Pick<Listed, 'nodes'>) => nodes.map((node) => node.ticketId);
const codesOf = async (args: string, authorization: string) =>
  (await gateway.graphql(`{ tickets(${args}) { nodes { ticketId } } }`, {}, { authorization })).errors?.map(
    ({ extensions, path }) => [extensions?.code, path],
  );

test('a ticket moves to the front with each message, in the lists of those who may see it', async () => {
  const before = await list('orderBy: LAST_MESSAGE, first: 100', asRequester);
  await add(gateway, { ticket: { ticketId: 12 }, body: 'for all' });
  await add(gateway, { ticket: { ticketId: 7 }, body: 'a note', visibility: 'PRIVATE' });
  const operators = await list('orderBy: LAST_MESSAGE, first: 2');
  expect(operators.nodes.map(({ ticketId, lastMessage }) => [ticketId, lastMessage!.bodyText])).toEqual([
    [7, 'a note'],
    [12, 'for all'],
  ]);
  const requesters = await list('orderBy: LAST_MESSAGE, first: 100', asRequester);
  expect(ids(requesters)).toEqual([12, ...ids(before).filter((id) => id !== 12)]);
  // Nothing of the note is in the ticket that it is in.
  const seven = (of: Listed) => of.nodes.find(({ ticketId }) => ticketId === 7);
  expect(seven(requesters)).toEqual(seven(before));
  expect(new Set(requesters.nodes.map(({ lastMessage }) => lastMessage?.visibility))).toEqual(
    new Set(['PUBLIC']),
  );
  for (const { lastMessage, lastMessageAt } of [...operators.nodes, ...requesters.nodes])
    expect(lastMessageAt).toBe(lastMessage!.createdAt);
});

test('the payload has the message as its ticket’s last one', async () => {
  const { data } = await gateway.graphql<Record<'addTicketMessage', object>>(
    `mutation { addTicketMessage(input: { ticket: { ticketId: 17 }, body: "newest" }) {
      ... on AddTicketMessagePayload { ticketMessage { messageId createdAt }
        ticket { lastMessageAt lastMessage { messageId } } } } }`,
  );
  const { ticketMessage, ticket } = data.addTicketMessage as never as {
    ticketMessage: { messageId: number; createdAt: string };
    ticket: object;
  };
  const { messageId, createdAt } = ticketMessage;
  expect(ticket).toEqual({ lastMessageAt: createdAt, lastMessage: { messageId } });
});

/** All pages of seven tickets, from the list's start or from its end. */
async function pagesOf(orderBy: string, size: 'first' | 'last', authorization = asOperator) {
  const [at, from] =
    size === 'first' ? (['after', 'endCursor'] as const) : (['before', 'startCursor'] as const);
  const found: number[][] = [];
  for (let cursor: string | undefined, more = true; more && found.length < 20; ) {
    const place = cursor === undefined ? '' : `, ${at}: "${cursor}"`;
    const page = await list(`orderBy: ${orderBy}, ${size}: 7${place}`, authorization);
    found.push(ids(page));
    cursor = page.pageInfo[from];
    more = page.nodes.length === 7;
  }
  return (size === 'first' ? found : found.reverse()).flat();
}

const lists = [
  ['LAST_MESSAGE', asOperator],
  ['LAST_MESSAGE', asRequester],
  ['CREATED', asRequester],
  ['CREATED', asOperator],
] as const;
for (const [orderBy, authorization] of sampled(lists, 2)) {
  const who = atob(authorization.slice(6));
  test(`pages by ${orderBy} hold everything once, both ways, for ${who}`, async () => {
    const all = ids(await list(`orderBy: ${orderBy}, first: 100`, authorization));
    for (const size of ['first', 'last'] as const)
      expect(await pagesOf(orderBy, size, authorization)).toEqual(all);
    expect(new Set(all).size).toBe(all.length);
  });
}

test('tickets of the first and the last years are on their pages like others', async () => {
  await gateway.sql`
    insert into tickets (reference, subject, requester_id, active_at, listed_at, public_active_at,
      public_listed_at)
    select 'YEAR-' || n, 'of another time', 2, t, t, t, t from generate_series(1, 9) n
    cross join lateral (select case when n % 2 = 0 then '9999-12-31T23:59:59.990Z'::timestamptz
      else '0001-01-01T00:00:00Z' end + n * interval '1 ms' as t) i`;
  for (const authorization of [asOperator, asRequester]) {
    const all = ids(await list('orderBy: LAST_MESSAGE, first: 100', authorization));
    for (const size of ['first', 'last'] as const)
      expect(await pagesOf('LAST_MESSAGE', size, authorization)).toEqual(all);
  }
  await gateway.sql`delete from tickets where reference like 'YEAR-%'`;
});

test('a ticket without a message has the place of its opening, and no last message', async () => {
  await gateway.sql`insert into tickets (reference, subject, requester_id) values ('EMPTY-1', 'empty', 2)`;
  const [first] = (await list('orderBy: LAST_MESSAGE, first: 1')).nodes;
  expect(first).toMatchObject({ lastMessage: null, lastMessageAt: null });
  await gateway.sql`delete from tickets where reference = 'EMPTY-1'`;
});

test('filters select, alone and together', async () => {
  const [row] = await gateway.sql<{ requester: number }[]>`
    select requester_id as requester from tickets where id = 47`;
  const person = encodeGlobalId('Person', row!.requester);
  const own = ids(await list('first: 100', asRequester));
  const filtered = async (filter: string, authorization = asOperator) =>
    ids(await list(`first: 100, filter: { ${filter} }`, authorization));
  expect(await filtered(`requester: "${person}"`)).toEqual(own);
  expect(await filtered('reference: "inc-000047"')).toEqual([47]);
  for (const none of ['INC-0000', '', '\\u0000', 'x'.repeat(5000)])
    expect(await filtered(`reference: "${none}"`)).toEqual([]);
  expect(await filtered('text: "INC-00004"')).toEqual([49, 48, 47, 46, 45, 44, 43, 42, 41, 40]);
  expect(await filtered('text: "PRINTER blank"')).toEqual([1]);
  expect(await filtered('text: "printer -blank"')).not.toContain(1);
  expect(await filtered(`text: "INC-00004", requester: "${person}"`)).toEqual([47, 42]);
  expect(await filtered('text: "INC-00004"', asRequester)).toEqual([47, 42]);
  expect(await filtered('reference: "INC-000001"', asRequester)).toEqual([]);
  const closed = await filtered('status: CLOSED');
  expect((await filtered('status: OPEN')).length + closed.length).toBe(50);
  expect(await filtered(`requester: "${encodeGlobalId('Person', 999)}"`)).toEqual([]);
});

test('updatedAfter tells of messages that the viewer may see', async () => {
  const [{ now }] = (await gateway.sql`select clock_timestamp() as now`) as unknown as [{ now: Date }];
  await add(gateway, { ticket: { ticketId: 32 }, body: 'a note', visibility: 'PRIVATE' });
  await add(gateway, { ticket: { ticketId: 27 }, body: 'for all' });
  for (const order of ['CREATED', 'LAST_MESSAGE']) {
    const args = `orderBy: ${order}, filter: { updatedAfter: "${now.toISOString()}" }`;
    expect(ids(await list(args)).sort()).toEqual([27, 32]);
    expect(ids(await list(args, asRequester))).toEqual([27]);
    expect((await list(args, asRequester)).totalCount).toBe(1);
  }
});

test('an instant outside of all years is before or after everything', async () => {
  const since = (year: string) => `first: 100, filter: { updatedAfter: "${year}-01-01T00:00:00Z" }`;
  expect(ids(await list(since('0000')))).toHaveLength(50);
  expect(ids(await list(since('9999')))).toEqual([]);
  const { endCursor } = (await list('orderBy: LAST_MESSAGE, first: 1')).pageInfo;
  const made = Buffer.from(endCursor, 'base64url')
    .toString()
    .replace(/, \d+ /, ', 999999999999999 ');
  const after = Buffer.from(made).toString('base64url');
  expect(ids(await list(`orderBy: LAST_MESSAGE, first: 100, after: "${after}"`))).toHaveLength(50);
});

test('hasUnsettledDelivery finds mails that are still to be sent, for operators alone', async () => {
  await add(gateway, { ticket: { ticketId: 22 }, email: { from: 'company@domain.com', holdSeconds: 600 } });
  const waiting = ids(await list('filter: { hasUnsettledDelivery: true }'));
  expect(waiting).toContain(22);
  const others = ids(await list('first: 100, filter: { hasUnsettledDelivery: false }'));
  expect([...waiting, ...others].sort()).toEqual(ids(await list('first: 100')).sort());
  for (const value of [true, false])
    expect(await codesOf(`filter: { hasUnsettledDelivery: ${value} }`, asRequester)).toEqual([
      ['FORBIDDEN', ['tickets']],
    ]);
});

test('a cursor belongs to its filter, its order and its class of viewers', async () => {
  const { endCursor } = (await list('orderBy: LAST_MESSAGE, first: 2', asRequester)).pageInfo;
  const after = `first: 2, after: "${endCursor}"`;
  expect(await codesOf(`orderBy: LAST_MESSAGE, ${after}`, asRequester)).toBeUndefined();
  for (const [args, authorization] of [
    [`orderBy: CREATED, ${after}`, asRequester],
    [`orderBy: LAST_MESSAGE, filter: { status: OPEN }, ${after}`, asRequester],
    [`orderBy: LAST_MESSAGE, ${after}`, asOperator],
  ] as const)
    expect(await codesOf(args, authorization)).toEqual([['INVALID_INPUT', ['tickets']]]);
});

test('a text that says nothing, or too much, is INVALID_INPUT', async () => {
  for (const text of ['', '  ', 'x'.repeat(201), '\\u0000'])
    expect(await codesOf(`filter: { text: "${text}" }`, asOperator)).toEqual([
      ['INVALID_INPUT', ['tickets']],
    ]);
});

test('counting ends at a thousand, and says so', async () => {
  expect(await list('first: 0')).toMatchObject({ totalCount: 50, totalCountIsExact: true });
  await gateway.sql`insert into tickets (reference, subject, requester_id, status)
    select 'MANY-' || n, 'one of many', 2, 'CLOSED' from generate_series(1, 1001) n`;
  for (const args of ['first: 0', 'first: 0, filter: { text: "one of many" }'])
    expect(await list(args)).toMatchObject({ totalCount: 1000, totalCountIsExact: false });
  await gateway.sql`delete from tickets where reference = 'MANY-1'`;
  expect(await list('first: 0, filter: { text: "one of many" }')).toMatchObject({
    ...{ totalCount: 1000, totalCountIsExact: true },
  });
  await gateway.sql`delete from tickets where reference like 'MANY-%'`;
});
