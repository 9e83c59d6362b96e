import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeGlobalId } from '../../src/platform/global-id.ts';
import { placeOf } from '../support/cursor.ts';
import { asOperator, asRequester, type Gateway, startGateway } from '../support/gateway.ts';
import { sampled } from '../support/soak.ts';
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
    select 2, 1, 'message ' || n, 'TEXT', case when n % 3 = 0 then 'PRIVATE' else 'PUBLIC' end, false
    from generate_series(1, 150) n`;
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
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor } edges { cursor node { messageId } } } }
      }`,
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
  for (const size of sampled([7, 1, 100, 20], 2)) {
    test(`pages of ${size}, forwards and backwards, hold everything once and in order`, async () => {
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
    expect(idsOf(await page('first: 100', authorization))).toEqual(visible().slice(0, 100));
    expect(idsOf(await page('last: 100', authorization))).toEqual(visible().slice(-100));
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

/**
 * What is wrong with a page of ticket 2's messages, and that the rest of the answer is there all the same.
 */
async function refusalOf(args: string, authorization = asOperator) {
  const { data, errors } = await gateway.graphql<object>(
    `{ ticket(by: { ticketId: 2 }) { ticketId messages(${args}) { edges { cursor } } } viewer { login } }`,
    {},
    { authorization },
  );
  expect([args, data]).toMatchObject([args, { ticket: { ticketId: 2, messages: null }, viewer: {} }]);
  expect(errors).toHaveLength(1);
  return [errors![0]!.extensions?.code, errors![0]!.message] as const;
}

test('a size that no page has is an error that says what is allowed', async () => {
  for (const args of ['first: -1', 'last: -5', 'first: 101', 'last: 101', 'first: 2147483647']) {
    expect([args, await refusalOf(args)]).toEqual([
      args,
      ['INVALID_INPUT', `"${args.split(':')[0]}" must be 0 to 100`],
    ]);
  }
  const several = await gateway.graphql('{ tickets(first: 101, last: -1, after: "x") { totalCount } }');
  expect(several.errors?.[0]?.extensions?.problems).toEqual([
    { path: ['first'], message: '"first" must be 0 to 100' },
    { path: ['last'], message: '"last" must be 0 to 100' },
    { path: ['last'], message: 'Give "first" or "last", not both' },
    { path: ['after'], message: '"after" is not a cursor of this list' },
  ]);
  expect(await refusalOf('first: 1, last: 1')).toEqual(['INVALID_INPUT', 'Give "first" or "last", not both']);
});

test('a filter’s id of another type is a problem, and an unknown one finds nothing', async () => {
  const [ticket, person] = [ticketId(2), encodeGlobalId('Person', 999)];
  const problemsOf = async (field: string, authorization: string | null = asOperator) => {
    const { errors } = await gateway.graphql(`{ ${field} }`, {}, { authorization });
    return errors?.map(({ extensions }) => extensions?.problems ?? extensions?.code);
  };
  const filter = { path: ['filter', 'requester'], message: 'Not the id of a person' };
  for (const id of [ticket, 'jane', '3', ''])
    expect([
      id,
      await problemsOf(`tickets(filter: { requester: "${id}", text: " " }, first: 101) { nodes { id } }`),
    ]).toEqual([
      id,
      [
        [
          filter,
          { path: ['filter', 'text'], message: 'The text is blank' },
          { path: ['first'], message: '"first" must be 0 to 100' },
        ],
      ],
    ]);
  expect(await problemsOf(`tickets(filter: { requester: "${ticket}" }) { totalCount }`)).toEqual([[filter]]);
  expect(await problemsOf(`deskEvents(filter: { requester: "${ticket}" }, after: "x") { cursor }`)).toEqual([
    [filter, { path: ['after'], message: '"after" is not a cursor of the desk\'s events' }],
  ]);
  const ofMails = { path: ['filter', 'ticket'], message: 'Not the id of a ticket' };
  for (const asked of ['nodes { id }', 'totalCount'])
    expect(await problemsOf(`deliveries(filter: { ticket: "${person}" }) { ${asked} }`)).toEqual([[ofMails]]);
  expect(await problemsOf('search(text: "", first: -1) { nodes { ticket { id } } }')).toEqual([
    [
      { path: ['text'], message: 'The text is blank' },
      { path: ['first'], message: '"first" must be 0 to 100' },
    ],
  ]);
  expect(await problemsOf(`tickets(filter: { requester: "${ticket}" }) { totalCount }`, null)).toEqual([
    'UNAUTHENTICATED',
  ]);
  expect(await ask(gateway, `{ tickets(filter: { requester: "${person}" }) { totalCount } }`)).toEqual({
    totalCount: 0,
  });
});

test('a list is read on from its own cursors alone', async () => {
  const [own] = (await page('first: 1')).edges;
  const others = await gateway.graphql<
    Record<string, { edges: { cursor: string }[] } & { cursor: string }>
  >(`{
    tickets(first: 1) { edges { cursor } }
    ticket(by: { ticketId: 2 }) { cursor }
    other: ticket(by: { ticketId: 47 }) { cursor messages(first: 1) { edges { cursor } } }
    deliveries(first: 1) { edges { cursor } }
  }`);
  const { tickets, ticket, other } = others.data as unknown as {
    tickets: { edges: { cursor: string }[] };
    ticket: { cursor: string };
    other: { cursor: string; messages: { edges: { cursor: string }[] } };
  };
  const message = await gateway.graphql<{ ticket: { messages: { nodes: { id: string }[] } } }>(
    '{ ticket(by: { ticketId: 2 }) { messages(first: 1) { nodes { id } } } }',
  );
  const wrong = {
    'of another list': tickets.edges[0]!.cursor,
    'of another ticket': other.messages.edges[0]!.cursor,
    'of the events': ticket.cursor,
    'that is an id': message.data.ticket.messages.nodes[0]!.id,
    'that is a number': '1',
    'that is empty': '',
    'that is nonsense': 'nonsense',
    'with something behind it': `${own!.cursor}=`,
    'that is too long': own!.cursor.repeat(1000),
    'that was made up': Buffer.from('messages of 2, 99999999999').toString('base64url'),
    'that Relay’s reference would make': btoa('arrayconnection:0'),
  };
  for (const [name, cursor] of Object.entries(wrong)) {
    for (const argument of ['after', 'before']) {
      for (const authorization of [asOperator, asRequester]) {
        const refusal = await refusalOf(`${argument}: "${cursor}"`, authorization);
        expect([name, ...refusal]).toEqual([
          name,
          'INVALID_INPUT',
          `"${argument}" is not a cursor of this list`,
        ]);
      }
    }
  }
  expect(idsOf(await page(`first: 1, after: "${own!.cursor}"`))).toEqual([all[1]]);
});

test('the other lists refuse a strange cursor as well, and tell a stranger nothing of it', async () => {
  const { cursor } = (await page('first: 1')).edges[0]!;
  for (const field of [
    `tickets(after: "${cursor}") { edges { cursor } }`,
    `deliveries(before: "${cursor}") { edges { cursor } }`,
    `ticketEvents(ticket: { ticketId: 2 }, after: "${cursor}") { cursor }`,
    `tickets(first: 1, last: 1) { edges { cursor } }`,
    `ticketEvents(ticket: { ticketId: 2 }, first: 101) { cursor }`,
    `nodes(ids: [${Array(101).fill('"VGlja2V0OjI="')}]) { id }`,
  ]) {
    const codeFor = async (authorization: string | null) => {
      const { data, errors } = await gateway.graphql<object>(
        `{ ${field} viewer { login } }`,
        {},
        { authorization },
      );
      expect(Object.values(data)[0]).toBeNull();
      return errors?.map(({ extensions }) => extensions?.code);
    };
    expect([field, await codeFor(asOperator), await codeFor(null)]).toEqual([
      field,
      ['INVALID_INPUT'],
      ['UNAUTHENTICATED'],
    ]);
  }
  const ids = Array(101).fill('VGlja2V0OjI=');
  const { errors } = await gateway.graphql('query ($ids: [ID!]!) { nodes(ids: $ids) { id } }', { ids });
  expect(errors?.[0]?.message).toBe('There are 101 ids; at most 100 are allowed');
});

test('events are read on from a cursor of their ticket, as the viewer’s class counts them', async () => {
  const cursorOf = async (id: number, authorization: string) =>
    (
      await ask<{ cursor: string }>(
        gateway,
        `{ ticket(by: { ticketId: ${id} }) { cursor } }`,
        {},
        { authorization },
      )
    ).cursor;
  const codesFor = async (after: string, authorization: string) =>
    (
      await gateway.graphql(
        `{ ticketEvents(ticket: { ticketId: 47 }, after: "${after}") { cursor } }`,
        {},
        { authorization },
      )
    ).errors?.map(({ extensions }) => extensions?.code);
  expect(await codesFor(await cursorOf(47, asOperator), asOperator)).toBeUndefined();
  expect(await codesFor(await cursorOf(47, asRequester), asRequester)).toBeUndefined();
  expect(await codesFor(await cursorOf(42, asOperator), asOperator)).toEqual(['INVALID_INPUT']);
  // An operator's number would pass over public events, whose own numbers are lower.
  expect(await codesFor(await cursorOf(47, asOperator), asRequester)).toEqual(['INVALID_INPUT']);
});

test('a page has its rows without their edges, and the list its length', async () => {
  const answer = await gateway.graphql<object>(`{
    ticket(by: { ticketId: 2 }) { messages(first: 3) { totalCount nodes { messageId } } }
    tickets(first: 2) { totalCount nodes { ticketId } }
    open: tickets(first: 0, filter: { status: OPEN }) { totalCount nodes { ticketId } }
    deliveries(first: 1, filter: { state: FAILED }) { totalCount nodes { id } }
  }`);
  expect(answer.errors).toBeUndefined();
  const [row] = await gateway.sql<{ open: number; failed: number }[]>`
    select (select count(*)::int from tickets where status = 'OPEN') as open,
      (select count(*)::int from deliveries where state = 'FAILED') as failed`;
  expect(answer.data).toMatchObject({
    ticket: {
      messages: { totalCount: all.length, nodes: all.slice(0, 3).map((messageId) => ({ messageId })) },
    },
    tickets: { totalCount: 50, nodes: [{ ticketId: 50 }, { ticketId: 49 }] },
    open: { totalCount: row!.open, nodes: [] },
    deliveries: { totalCount: row!.failed },
  });
  const own = await gateway.graphql<object>(
    '{ tickets(first: 1) { totalCount } ticket(by: { ticketId: 2 }) { messages(first: 1) { totalCount } } }',
    {},
    { authorization: asRequester },
  );
  expect(own.data).toEqual({
    tickets: { totalCount: 10 },
    ticket: { messages: { totalCount: open.length } },
  });
});

test('the payload’s edge is the one that the list has, for a client that appends it', async () => {
  const { data } = await gateway.graphql<{ addTicketMessage: { ticketMessageEdge: { cursor: string } } }>(
    `mutation { addTicketMessage(input: { ticket: { ticketId: 33 }, body: "x" }) {
      ... on AddTicketMessagePayload {
      ticketMessageEdge { cursor node { messageId bodyText } } } } }`,
  );
  const listed = await ask<{ messages: Connection }>(
    gateway,
    '{ ticket(by: { ticketId: 33 }) { messages(last: 1) { edges { cursor node { messageId bodyText } } } } }',
  );
  expect(listed.messages.edges).toEqual([data.addTicketMessage.ticketMessageEdge]);
});

test('ids name their owner’s type, and a mailbox id resolves for those who may send from it', async () => {
  const { data } = await gateway.graphql<{
    viewer: { id: string; person: { id: string } };
    mailboxes: { id: string; address: string }[];
    ticket: { requester: { id: string }; messages: { nodes: { author: { id: string; name: string } }[] } };
  }>(`{ viewer { id person { id name } } mailboxes { id address }
    ticket(by: { ticketId: 2 }) { requester { id } messages(last: 1) { nodes { author { id name } } } } }`);
  const { viewer, mailboxes, ticket } = data;
  expect(ticket.messages.nodes[0]!.author.id).toBe(viewer.person.id);
  expect(new Set([viewer.id, viewer.person.id, ticket.requester.id, mailboxes[0]!.id]).size).toBe(4);
  const found = (authorization: string) =>
    ask<({ address: string } | null)[]>(
      gateway,
      'query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Mailbox { address } } }',
      { ids: [...mailboxes.map(({ id }) => id), viewer.id, viewer.person.id, btoa('Mailbox:9999')] },
      { authorization },
    );
  expect(await found(asOperator)).toEqual([
    ...mailboxes.map(({ address }) => ({ address })),
    ...[null, null, null],
  ]);
  expect(await found(asRequester)).toEqual([...mailboxes, 0, 0, 0].map(() => null));
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

test('a requester’s cursor counts public messages by one, whatever notes lie between', async () => {
  const ticket = { ticketId: 7 };
  const cursors: number[] = [];
  for (let time = 0; time < 4; time += 1) {
    await Promise.all([1, 2, 3].map(() => add(gateway, { ticket, visibility: 'PRIVATE' })));
    cursors.push(placeOf((await add(gateway, { ticket }, { authorization: asRequester })).cursor));
  }
  expect(cursors).toEqual([0, 1, 2, 3].map((n) => cursors[0]! + n));
  const now = await ask<{ cursor: string }>(
    gateway,
    '{ ticket(by: { ticketId: 7 }) { cursor } }',
    {},
    { authorization: asRequester },
  );
  expect(placeOf(now.cursor)).toBe(cursors.at(-1));
});

describe('tickets', () => {
  const list = (args: string, authorization: string) =>
    ask<{
      pageInfo: Connection['pageInfo'];
      edges: { cursor: string; node: { ticketId: number; status: string } }[];
    }>(
      gateway,
      `{ tickets(${args}) { pageInfo { hasNextPage hasPreviousPage startCursor endCursor } edges { ` +
        'cursor node { ticketId status } } } }',
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
    const closed = await list('first: 100, filter: { status: CLOSED }', asOperator);
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
