import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { asOperator, asRequester, type Gateway, startGateway } from '../support/gateway.ts';
import { add, ask, messageId, ticketId } from './calls.ts';

interface Connection {
  pageInfo: {
    hasNextPage: boolean;
    hasPreviousPage: boolean;
    startCursor: string | null;
    endCursor: string | null;
  };
  edges: { cursor: string; node: { messageId: number } }[];
}

let gateway: Gateway;
/** Messages of ticket 2, of which every third is private. */
let all: number[];
let open: number[];
beforeAll(async () => {
  gateway = await startGateway({ env: { ROLES: 'web' } });
  await gateway.sql`
    insert into messages (ticket_id, author_id, body, format, visibility, is_mobile_device)
    select 2, 1, 'message ' || n, 'TEXT', case when n % 3 = 0 then 'PRIVATE' else 'PUBLIC' end, false from generate_series(1, 150) n`;
  const there = await gateway.sql<{ id: number; visibility: string }[]>`
    select id, visibility from messages where ticket_id = 2 order by id`;
  await gateway.sql`
    update tickets t set message_count = ${there.length},
      public_message_count = ${there.filter(({ visibility }) => visibility === 'PUBLIC').length},
      last_message_id = ${there.at(-1)!.id} where id = 2`;
  all = there.map(({ id }) => id);
  open = there.filter(({ visibility }) => visibility === 'PUBLIC').map(({ id }) => id);
});
afterAll(() => gateway[Symbol.asyncDispose]());

const page = async (args: string, authorization = asOperator) => {
  const { messages } = await ask<{ messages: Connection }>(
    gateway,
    `{ ticket(by: { ticketId: 2 }) { messages${args === '' ? '' : `(${args})`} {
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor } edges { cursor node { messageId } } } } }`,
    {},
    { authorization },
  );
  if (messages.edges.length > 0) {
    expect(messages.pageInfo.startCursor).toBe(messages.edges.at(0)!.cursor);
    expect(messages.pageInfo.endCursor).toBe(messages.edges.at(-1)!.cursor);
  }
  return messages;
};
const idsOf = ({ edges }: Connection) => edges.map(({ node }) => node.messageId);

describe.each([
  ['an operator', asOperator, () => all],
  ['a requester', asRequester, () => open],
] as const)('the pages of a conversation, for %s', (_, authorization, visible) => {
  for (const size of [1, 7, 20, 100]) {
    test(`forwards by ${size} and backwards by ${size}: everything once, in one order, with an end on both sides`, async () => {
      const forwards: number[] = [];
      for (let after: string | null = null, more = true; more; ) {
        const one: Connection = await page(
          `first: ${size}${after === null ? '' : `, after: "${after}"`}`,
          authorization,
        );
        forwards.push(...idsOf(one));
        after = one.pageInfo.endCursor;
        more = one.pageInfo.hasNextPage;
        if (size === 1 && forwards.length === 10) break;
      }
      const expected = visible();
      expect(forwards).toEqual(size === 1 ? expected.slice(0, 10) : expected);
      const backwards: number[] = [];
      for (let before: string | null = null, more = true; more; ) {
        const one: Connection = await page(
          `last: ${size}${before === null ? '' : `, before: "${before}"`}`,
          authorization,
        );
        backwards.unshift(...idsOf(one));
        before = one.pageInfo.startCursor;
        more = one.pageInfo.hasPreviousPage;
        if (size === 1 && backwards.length === 10) break;
      }
      expect(backwards).toEqual(size === 1 ? expected.slice(-10) : expected);
    });
  }

  test('20 unless told, 100 at most, none when none are asked for', async () => {
    expect(idsOf(await page('', authorization))).toEqual(visible().slice(0, 20));
    expect(idsOf(await page('first: 1000', authorization))).toEqual(visible().slice(0, 100));
    expect(idsOf(await page('last: 1000', authorization))).toEqual(visible().slice(-100));
    const none = await page('first: 0', authorization);
    expect([none.edges, none.pageInfo]).toMatchObject([[], { startCursor: null, endCursor: null }]);
  });

  test('the page after the last message is empty and goes on from there', async () => {
    const { endCursor } = (await page('last: 1', authorization)).pageInfo;
    const { edges, pageInfo } = await page(`first: 5, after: "${endCursor}"`, authorization);
    expect([edges, pageInfo]).toMatchObject([[], { endCursor, hasNextPage: false, hasPreviousPage: true }]);
  });

  test('between two cursors; a page stays where it is while messages are added', async () => {
    const [first] = (await page('first: 1', authorization)).edges;
    const [last] = (await page('last: 1', authorization)).edges;
    const between = await page(
      `first: 5, after: "${first!.cursor}", before: "${last!.cursor}"`,
      authorization,
    );
    expect(idsOf(between)).toEqual(visible().slice(1, 6));
    expect(between.pageInfo.hasNextPage).toBe(true);
  });
});

test('what no page can be is an error that says so', async () => {
  for (const args of ['first: -1', 'last: -5']) {
    const answer = await gateway.graphql(
      `{ ticket(by: { ticketId: 2 }) { messages(${args}) { edges { cursor } } } }`,
    );
    expect([args, answer.errors?.length, answer.errors?.[0]?.extensions?.code]).toEqual([args, 1, undefined]);
    expect(answer.errors![0]!.message).toMatch(/first|last/);
  }
});

test('a cursor of nobody’s is no error and brings nothing that another viewer alone may see', async () => {
  for (const cursor of ['nonsense', '', 'R1BDOlM6OTk5OTk5OTk5OTk5']) {
    const ids = idsOf(await page(`first: 100, after: "${cursor}"`, asRequester));
    expect(ids.every((id) => open.includes(id))).toBe(true);
  }
});

test('counts are of what the viewer may see', async () => {
  const count = (authorization: string) =>
    ask<{ messageCount: number }>(
      gateway,
      '{ ticket(by: { ticketId: 2 }) { messageCount } }',
      {},
      { authorization },
    );
  expect(await count(asOperator)).toEqual({ messageCount: all.length });
  expect(await count(asRequester)).toEqual({ messageCount: open.length });
});

test('a requester’s cursor counts by one from public message to public message, whatever notes are between', async () => {
  const ticket = { ticketId: 7 };
  const cursors: number[] = [];
  for (let time = 0; time < 4; time += 1) {
    await Promise.all([1, 2, 3].map(() => add(gateway, { ticket, visibility: 'PRIVATE' })));
    cursors.push(Number((await add(gateway, { ticket }, { authorization: asRequester })).cursor));
  }
  expect(cursors).toEqual([0, 1, 2, 3].map((n) => cursors[0]! + n));
  const now = await ask<{ cursor: string }>(
    gateway,
    '{ ticket(by: { ticketId: 7 }) { cursor } }',
    {},
    { authorization: asRequester },
  );
  expect(Number(now.cursor)).toBe(cursors.at(-1));
});

describe('tickets', () => {
  const list = (args: string, authorization: string) =>
    ask<{
      pageInfo: Connection['pageInfo'];
      edges: { cursor: string; node: { ticketId: number; status: string } }[];
    }>(
      gateway,
      `{ tickets(${args}) { pageInfo { hasNextPage hasPreviousPage startCursor endCursor } edges { cursor node { ticketId status } } } }`,
      {},
      { authorization },
    );
  const ids = ({ edges }: Awaited<ReturnType<typeof list>>) => edges.map(({ node }) => node.ticketId);

  test('come newest first, all to an operator, their own to a requester', async () => {
    expect(ids(await list('first: 100', asOperator))).toEqual(Array.from({ length: 50 }, (_, n) => 50 - n));
    expect(ids(await list('first: 100', asRequester))).toEqual([47, 42, 37, 32, 27, 22, 17, 12, 7, 2]);
  });

  test('page by page, both ways', async () => {
    const first = await list('first: 4', asRequester);
    expect([ids(first), first.pageInfo]).toMatchObject([
      [47, 42, 37, 32],
      { hasNextPage: true, hasPreviousPage: false },
    ]);
    const next = await list(`first: 100, after: "${first.pageInfo.endCursor}"`, asRequester);
    expect([ids(next), next.pageInfo]).toMatchObject([
      [27, 22, 17, 12, 7, 2],
      { hasNextPage: false, hasPreviousPage: true },
    ]);
    const back = await list(`last: 2, before: "${next.pageInfo.startCursor}"`, asRequester);
    expect([ids(back), back.pageInfo]).toMatchObject([
      [37, 32],
      { hasNextPage: true, hasPreviousPage: true },
    ]);
  });

  test('by their status', async () => {
    const closed = await list('first: 100, status: CLOSED', asOperator);
    expect(closed.edges.length).toBeGreaterThan(0);
    expect(new Set(closed.edges.map(({ node }) => node.status))).toEqual(new Set(['CLOSED']));
  });
});

test('node and nodes: what may not be seen, does not exist or is no id is null, in its place', async () => {
  const note = await add(gateway, { visibility: 'PRIVATE' });
  const mail = await add(gateway, { email: { from: 'company@domain.com' } }, { files: [] });
  const ids = [
    ticketId(47),
    ticketId(1),
    ticketId(999_999),
    mail.ticketMessage.id,
    note.ticketMessage.id,
    messageId(999_999),
    mail.delivery!.id,
    'nonsense',
    btoa('Upload:1'),
    btoa('Query:1'),
  ];
  const nodes = (authorization: string | null) =>
    ask<({ __typename: string } | null)[]>(
      gateway,
      'query ($ids: [ID!]!) { nodes(ids: $ids) { __typename } }',
      { ids },
      { authorization },
    );
  const names = async (authorization: string | null) =>
    (await nodes(authorization)).map((node) => node?.__typename ?? null);
  const [ticket, message, delivery] = ['Ticket', 'TicketMessage', 'Delivery'];
  expect(await names(asOperator)).toEqual([
    ticket,
    ticket,
    null,
    message,
    message,
    null,
    delivery,
    null,
    null,
    null,
  ]);
  expect(await names(asRequester)).toEqual([ticket, null, null, message, null, null, null, null, null, null]);
  for (const [n, id] of ids.entries()) {
    const node = await ask(
      gateway,
      'query ($id: ID!) { node(id: $id) { __typename } }',
      { id },
      { authorization: asRequester },
    );
    expect(node === null).toBe((await nodes(asRequester))[n] === null);
  }
});
