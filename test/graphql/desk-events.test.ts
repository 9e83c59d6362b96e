import { afterAll, beforeAll, expect, test } from 'vitest';
import { migrate } from '../../src/db/database.ts';
import { encodeGlobalId } from '../../src/platform/global-id.ts';
import { deskCursorOfNow } from '../support/cursor.ts';
import { openStream } from '../support/event-stream.ts';
import { asOperator, asRequester, type Gateway, startGateway } from '../support/gateway.ts';
import { add, ask } from '../tickets/calls.ts';

/* The events of all tickets, for operators. */

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway({ env: { ROLES: 'web' } });
});
afterAll(() => gateway[Symbol.asyncDispose]());

const authorization = asOperator;
const fields = 'cursor type visibility ticket { ticketId } ticketMessage { messageId }';
const subscription = `subscription ($after: String, $filter: DeskEventFilter) {
  deskEvents(after: $after, filter: $filter) { ${fields} } }`;
const query = `query ($after: String, $first: Int, $filter: DeskEventFilter) {
  deskEvents(after: $after, first: $first, filter: $filter) { cursor hasMore events { ${fields} } } }`;

interface Seen {
  cursor: string;
  type: string;
  visibility: string;
  ticket: { ticketId: number };
  ticketMessage: { messageId: number } | null;
}
interface Page {
  cursor: string;
  hasMore: boolean;
  events: Seen[];
}
const page = (variables: object) => ask<Page>(gateway, query, variables);
/** The page once it has so many events: transactions of other tests in this cluster may hold them. */
async function pageOf(count: number, variables: object): Promise<Page> {
  await expect.poll(async () => (await page(variables)).events.length).toBeGreaterThanOrEqual(count);
  return page(variables);
}
const now = () => deskCursorOfNow(gateway);

async function watch(variables: object, headers: Record<string, string> = {}, url = gateway.url) {
  const stream = await openStream(url, { query: subscription, variables }, { authorization, ...headers });
  const next = async () => {
    const { id, data } = (await stream.next())!;
    const seen = data!.data?.deskEvents as Seen;
    expect(id).toBe(seen.cursor);
    return seen;
  };
  return { stream, next, leave: stream.leave };
}
const idOf = async (said: Promise<{ ticketMessage: { messageId: number } }>) =>
  (await said).ticketMessage.messageId;
const say = (ticketId: number, more: object = {}) => idOf(add(gateway, { ticket: { ticketId }, ...more }));

test('replays what was missed of every ticket and goes on live, in another process too', async () => {
  await using other = await startGateway({ env: { ROLES: 'web' }, database: gateway.database });
  const after = await now();
  const said = [await say(47), await say(3, { visibility: 'PRIVATE' })];
  const watchers = [await watch({ after }), await watch({ after }, {}, other.url)];
  for (const ticketId of [4, 47, 3]) said.push(await say(ticketId));
  for (const { next, leave } of watchers) {
    const seen = [];
    for (let n = 0; n < said.length; n += 1) seen.push(await next());
    expect(seen.map(({ ticketMessage }) => ticketMessage?.messageId)).toEqual(said);
    leave();
  }
});

test('resumes after Last-Event-ID, and without a cursor begins now', async () => {
  // Events of tests before this one may be held still, and would come first.
  await now();
  const first = await watch({});
  const said = [await say(47), await say(4)];
  const seen = await first.next();
  first.leave();
  expect(seen.ticketMessage?.messageId).toBe(said[0]);
  const again = await watch({ after: 'whatever' }, { 'last-event-id': seen.cursor });
  expect((await again.next()).ticketMessage?.messageId).toBe(said[1]);
  again.leave();
});

test('a page has the same events as the subscription, and says where the next one begins', async () => {
  const after = await now();
  const said = [await say(47), await say(4), await say(5)];
  await pageOf(3, { after });
  const first = await page({ after, first: 2 });
  const second = await page({ after: first.cursor, first: 2 });
  expect([first.hasMore, second.hasMore]).toEqual([true, false]);
  expect([...first.events, ...second.events].map((seen) => seen.ticketMessage?.messageId)).toEqual(said);
  expect(await page({ after: second.cursor })).toMatchObject({ events: [], hasMore: false });
  expect(await page({ after, first: 0 })).toEqual({ cursor: after, events: [], hasMore: true });
  expect(await page({ after: second.cursor, first: 0 })).toMatchObject({ events: [], hasMore: false });
  expect((await page({ after: first.events[0]!.cursor })).events).toHaveLength(2);
});

test('a page costs as much as one of a ticket’s events', async () => {
  const names = Array.from({ length: 50 }, (_, n) => `a${n}: fileName`).join(' ');
  const event = `ticketMessage { attachments { ${names} } }`;
  const codesOf = async (document: string) =>
    (await gateway.graphql(document, {}, { authorization })).errors?.map(
      ({ extensions }) => extensions?.code,
    );
  const ofTicket = `ticketEvents(ticket: { ticketId: 47 }, first: 100) { ${event} }`;
  const ofDesk = `deskEvents(first: 100) { events { ${event} } }`;
  expect(await codesOf(`{ ${ofTicket} }`)).toBeUndefined();
  expect(await codesOf(`{ ${ofDesk} }`)).toBeUndefined();
});

test('every event of the desk is on one page, once', async () => {
  const after0 = await now();
  await say(47);
  await pageOf(1, { after: after0 });
  let after: string | null = null;
  const seen: Seen[] = [];
  for (;;) {
    const { events, cursor, hasMore }: Page = await page({ after, first: 40 });
    seen.push(...events);
    after = cursor;
    if (!hasMore) break;
  }
  const [row] = await gateway.sql<{ count: number }[]>`select count(*)::int from events`;
  expect(new Set(seen.map(({ cursor }) => cursor)).size).toBe(row!.count);
  expect(seen).toHaveLength(row!.count);
});

test.each([
  ['types', { types: ['TICKET_CLOSED'] }, 'TICKET_CLOSED'],
  ['visibility', { visibility: 'PRIVATE' }, 'MESSAGE_ADDED'],
  ['status', { status: 'CLOSED' }, 'TICKET_CLOSED'],
  ['requester', { requester: encodeGlobalId('Person', 2) }, 'MESSAGE_ADDED'],
])('a filter by %s selects, in a page and live', async (_, filter, type) => {
  const after = await now();
  const live = await watch({ after, filter });
  await say(9);
  await say(8, { visibility: 'PRIVATE' });
  await say(47);
  await gateway.graphql(`mutation { setTicketStatus(input: { ticket: { ticketId: 9 }, status: CLOSED }) {
    __typename } }`);
  await pageOf(4, { after });
  const { events } = await page({ after, filter });
  expect(events.some((event) => event.type === type)).toBe(true);
  // Live, a ticket is in the status that it had when the event was read.
  for (let last: Seen | undefined; last?.cursor !== events.at(-1)!.cursor; ) {
    last = await live.next();
    expect(events).toContainEqual(last);
  }
  live.leave();
  await gateway.graphql(`mutation { setTicketStatus(input: { ticket: { ticketId: 9 }, status: OPEN }) {
    __typename } }`);
});

test('a commit that is late is not skipped: what began after it waits for it', async () => {
  const after = await now();
  const live = await watch({ after });
  const late = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const writing = gateway.sql.begin(async (tx) => {
    await tx`
      insert into events (ticket_id, number, public_number, type, visibility)
      select id, last_event_number + 1, last_public_event_number + 1, 'TICKET_CLOSED', 'PUBLIC'
      from tickets where id = 11`;
    await tx`update tickets set last_event_number = last_event_number + 1,
      last_public_event_number = last_public_event_number + 1 where id = 11`;
    begun.resolve();
    await late.promise;
  });
  await begun.promise;
  const [said, before] = await Promise.all([say(12), begun.promise])
    .then(async ([id]) => [id, await page({ after })] as const)
    // Whatever was seen: an open transaction would hold the events of every test.
    .finally(late.resolve);
  await writing;
  expect(before).toMatchObject({ events: [], hasMore: false });
  const seen = [await live.next(), await live.next()];
  expect(seen.map(({ ticket }) => ticket.ticketId)).toEqual([11, 12]);
  expect(seen[1]!.ticketMessage?.messageId).toBe(said);
  expect((await pageOf(2, { after: before.cursor })).events).toEqual(seen);
  live.leave();
});

test('is refused to requesters, and with a cursor of another list or of the future', async () => {
  const codeOf = async (variables: object, as: string | null) =>
    (await gateway.graphql(query, variables, { authorization: as })).errors?.[0]?.extensions?.code;
  expect(await codeOf({}, asRequester)).toBe('FORBIDDEN');
  expect(await codeOf({}, null)).toBe('UNAUTHENTICATED');
  const { cursor } = await ask<{ cursor: string }>(gateway, '{ ticket(by: { ticketId: 47 }) { cursor } }');
  const future = Buffer.from('events of the desk, 99999999999, 1, 1').toString('base64url');
  for (const after of [cursor, 'junk', '', future, `${await now()}=`])
    expect([after, await codeOf({ after }, asOperator)]).toEqual([after, 'INVALID_INPUT']);
  expect(await codeOf({ first: 101 }, asOperator)).toBe('INVALID_INPUT');
  const types = Array(10_000).fill('MESSAGE_ADDED');
  expect(await codeOf({ filter: { types } }, asOperator)).toBe('INVALID_INPUT');
  const desk = await now();
  const answer = await gateway.graphql(
    `{ ticketEvents(ticket: { ticketId: 47 }, after: "${desk}") { cursor } }`,
  );
  expect(answer.errors?.[0]?.extensions?.code).toBe('INVALID_INPUT');
});

test('a cursor stands at an event, as a crash forgets the ids of other transactions', async () => {
  await say(13);
  const before = await now();
  const [last] = await gateway.sql<{ place: number }[]>`select max(place)::float8 as place from events`;
  for (let n = 0; n < 20; n += 1) await gateway.sql`select pg_current_xact_id()`;
  const cursors = [await now(), (await page({ after: before })).cursor, (await page({ after: null })).cursor];
  for (const cursor of cursors) {
    const [, place] = Buffer.from(cursor, 'base64url').toString().split(', ');
    expect(Number(place)).toBeLessThanOrEqual(last!.place);
  }
});

test('a desk in a cluster whose transaction ids are lower goes on above its last event', async () => {
  const said = await say(13);
  const { cursor } = await page({ after: await now() });
  // As a dump brings it: the events have places that this cluster has not reached.
  await gateway.sql`update events set place = place + 1000000 where place > 1`;
  const { ownerConnection } = gateway.database;
  await migrate(ownerConnection);
  const after = await now();
  const next = await say(13);
  const { events } = await pageOf(1, { after });
  expect(events.map(({ ticketMessage }) => ticketMessage?.messageId)).toEqual([next]);
  const all = await ids(null);
  expect(all.indexOf(next)).toBeGreaterThan(all.indexOf(said));
  // All earlier events come after an earlier cursor, which is better than missing one.
  expect(await ids(cursor)).toContain(next);
});

/** The messages of all events after a cursor. */
async function ids(from: string | null): Promise<(number | undefined)[]> {
  const found = [];
  for (let after = from; ; ) {
    const { events, cursor, hasMore }: Page = await page({ after });
    found.push(...events.map(({ ticketMessage }) => ticketMessage?.messageId));
    after = cursor;
    if (!hasMore) return found;
  }
}
