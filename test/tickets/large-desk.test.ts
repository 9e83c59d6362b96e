import type postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeGlobalId } from '../../src/platform/global-id.ts';
import { asOperator, asRequester, type Gateway, startGateway } from '../support/gateway.ts';
import { createCountedDatabase, executedStatements } from '../support/observed/executed-statements.ts';
import { sampled, soaking } from '../support/soak.ts';
import { add } from './calls.ts';

/*
 * What a read costs must not grow with the desk. Blocks are counted by PostgreSQL itself, so that it does not
 * matter how busy the machine is. `npm run bench:desk` measures the same on a desk of realistic size.
 */

const listed = 'nodes { reference lastMessage { bodyText } }';
const ids = Array.from({ length: 50 }, (_, n) => encodeGlobalId('TicketMessage', n + 1));
const reads: Readonly<Record<string, string>> = {
  'a page of messages':
    '{ ticket(by: { ticketId: 47 }) { messages(last: 50) { nodes { bodyText attachments { id } } } } }',
  'messages by their ids': `{ nodes(ids: ${JSON.stringify(ids)}) { ... on TicketMessage { bodyText } } }`,
  'events after all that is there': `{ ticketEvents(ticket: { ticketId: 47 }, after: "LAST") { type } }`,
  ...Object.fromEntries(
    ['CREATED', 'LAST_MESSAGE'].flatMap((orderBy) =>
      ['{}', '{ status: OPEN }', '{ status: CLOSED }', '{ updatedAfter: "2099-01-01T00:00:00Z" }'].map(
        (filter) => [
          `tickets by ${orderBy} of ${filter}`,
          `{ tickets(first: 10, orderBy: ${orderBy}, filter: ${filter}) { ${listed} } }`,
        ],
      ),
    ),
  ),
};
/** A requester's search reads their own rows up to a bound, so it is not compared here. */
const operatorReads: Readonly<Record<string, string>> = {
  'a rare word': '{ search(text: "xylophone", first: 10) { nodes { ticketMessage { id } } } }',
  ...Object.fromEntries(
    ['CREATED', 'LAST_MESSAGE'].map((orderBy) => [
      `the requester's tickets by ${orderBy}`,
      `{ tickets(first: 10, orderBy: ${orderBy}, filter: { requester: "REQUESTER" }) { ${listed} } }`,
    ]),
  ),
  "the requester's tickets since a day ago": `{ tickets(first: 10, orderBy: CREATED,
    filter: { requester: "REQUESTER", updatedAfter: "DAY" }) { ${listed} totalCount } }`,
};
/** A desk grows by this many tickets, half of them the demo requester's, and messages. */
const tickets = soaking ? 8000 : 2500;
/** Blocks by which a read may grow: reading the tickets' table through takes more. */
const allowance = soaking ? 150 : 60;
const perTicket = 2;

/** A third had two messages within a minute, each in another one. */
async function placeByMinute(sql: postgres.Sql): Promise<void> {
  await sql`update tickets set is_listed_by_minute = true, is_public_listed_by_minute = true,
    listed_at = minute, public_listed_at = minute, active_at = last, public_active_at = last
    from (select id, date_trunc('minute', now()) - id * interval '1 minute' as minute,
        date_trunc('minute', now()) - id * interval '1 minute' + interval '7 seconds' as last from tickets) m
    where m.id = tickets.id and reference like 'BIG-%' and m.id % 3 = 0`;
}

/** Adds the tickets. */
async function grow(sql: postgres.Sql): Promise<void> {
  // Nearly everybody has one ticket, so PostgreSQL expects few of a requester whom it does not know.
  await sql`insert into users (id, login, name, email, role)
    select 1000 + n, 'many' || n, 'Many ' || n, n || '@many.example', 'REQUESTER'
    from generate_series(1, ${tickets}) n`;
  await sql`
    with t as (
      insert into tickets (reference, subject, status, requester_id)
      select 'BIG-' || n, 'Of a large desk', case when n % 20 = 0 then 'OPEN' else 'CLOSED' end,
        case when n % 2 = 0 then (select requester_id from tickets where id = 47) else 1000 + n end
      from generate_series(1, ${tickets}) n returning id
    ), m as (
      insert into messages (ticket_id, author_id, body, format, visibility, is_mobile_device)
      select t.id, 1, 'filler ' || n, 'TEXT', 'PUBLIC', false from t, generate_series(1, ${perTicket}) n
      returning id, ticket_id
    )
    insert into events (ticket_id, number, public_number, type, visibility, message_id)
    select ticket_id, n, n, 'MESSAGE_ADDED', 'PUBLIC', id
    from (select *, row_number() over (partition by ticket_id order by id) as n from m) m`;
  await placeByMinute(sql);
  // Nobody has written to the requester lately.
  await sql`update tickets set active_at = active_at - interval '1 year',
    public_active_at = public_active_at - interval '1 year', listed_at = listed_at - interval '1 year',
    public_listed_at = public_listed_at - interval '1 year'
    where reference like 'BIG-%' and requester_id < 1000`;
  await sql`update tickets t set last_message_id = m.id, last_public_message_id = m.id
    from (select ticket_id, max(id) as id from messages group by 1) m where m.ticket_id = t.id`;
}

test('no read visits more of the database on a large desk than on a small one, for anybody', async () => {
  await using database = await createCountedDatabase();
  await using gateway = await startGateway({ database, env: { ROLES: 'web', DATABASE_POOL: '2' } });
  const { sql } = gateway;
  const cursors = new Map<string, string>();
  const [requester] = await sql<{ id: number }[]>`select requester_id as id from tickets where id = 47`;
  for (const authorization of [asOperator, asRequester]) {
    const query = '{ ticket(by: { ticketId: 47 }) { cursor } }';
    const { data } = await gateway.graphql<{ ticket: { cursor: string } }>(query, {}, { authorization });
    cursors.set(authorization, data.ticket.cursor);
  }
  const blocksOf = async (query: string, authorization: string) => {
    const asked = query
      .replace('LAST"', `${cursors.get(authorization)}"`)
      .replace('REQUESTER"', `${encodeGlobalId('Person', requester!.id)}"`)
      .replace('DAY', new Date(Date.now() - 86_400_000).toISOString());
    const run = () => gateway.graphql(asked, {}, { authorization });
    // Each connection's first execution of a statement reads the catalogue as well.
    for (let n = 0; n < 2; n++) await run();
    const executed = await executedStatements(sql, async () => expect((await run()).errors).toBeUndefined());
    return executed.reduce((sum, { blocks }) => sum + blocks, 0);
  };
  const measure = async () => {
    await sql`vacuum analyze tickets, messages, events, users`;
    const found: Record<string, number> = {};
    for (const [who, authorization, asked] of [
      ['operator', asOperator, { ...reads, ...operatorReads }],
      ['requester', asRequester, reads],
    ] as const)
      for (const [name, query] of Object.entries(asked))
        found[`${name}, ${who}`] = await blocksOf(query, authorization);
    return found;
  };
  const small = await measure();
  await grow(sql);
  const large = await measure();
  const grown = Object.keys(small).filter((name) => large[name]! > 1.25 * small[name]! + allowance);
  expect(grown.map((name) => [name, small[name], large[name]])).toEqual([]);
});

describe('tickets updated since a time', () => {
  let gateway: Gateway;
  beforeAll(async () => {
    gateway = await startGateway({ env: { ROLES: 'web' } });
    for (const ticketId of [3, 6, 9, 12, 21, 24, 27])
      await add(gateway, { ticket: { ticketId }, email: { from: 'company@domain.com', holdSeconds: 600 } });
    await grow(gateway.sql);
  });
  afterAll(() => gateway[Symbol.asyncDispose]());

  // Each test says anew when the tickets were updated.
  test('are listed by CREATED, whether they are many or few', async () => {
    const { sql } = gateway;
    await sql`update tickets set active_at = now() - interval '1 day' - id * interval '1 minute',
      listed_at = now() - interval '1 day' - id * interval '1 minute', is_listed_by_minute = false,
      public_active_at = now() - interval '2 days' - id * interval '1 minute',
      public_listed_at = now() - interval '2 days' - id * interval '1 minute',
      is_public_listed_by_minute = false
      where id > ${Math.floor(tickets * 0.375)}`;
    await sql`vacuum analyze tickets`;
    const all = await sql<{ id: number; status: string; isOwn: boolean; at: Date; publicAt: Date }[]>`
      select id, status, active_at as at, public_active_at as "publicAt",
        requester_id = (select requester_id from tickets where id = 47) as "isOwn"
      from tickets order by id desc`;
    const times = [1, 1000, 1001].map((n) => all.map(({ at }) => at).sort((a, b) => +b - +a)[n]!);
    for (const [who, authorization] of [
      ['operator', asOperator],
      ['requester', asRequester],
    ] as const)
      for (const since of [...times, new Date(0), new Date('2099-01-01')])
        for (const status of [undefined, 'OPEN']) {
          const expected = all.filter(
            (one) =>
              (who === 'operator' ? one.at : one.publicAt) > since &&
              (who === 'operator' || one.isOwn) &&
              (status === undefined || one.status === status),
          );
          const filter = `{ updatedAfter: "${since.toISOString()}" ${status ? `status: ${status}` : ''} }`;
          const { data } = await gateway.graphql<Record<string, { nodes: { ticketId: number }[] }>>(
            `{ first: tickets(first: 30, orderBy: CREATED, filter: ${filter}) {
                nodes { ticketId } totalCount }
              last: tickets(last: 30, orderBy: CREATED, filter: ${filter}) { nodes { ticketId } } }`,
            {},
            { authorization },
          );
          const found = (page: string) => data[page]!.nodes.map(({ ticketId }) => ticketId);
          const ids = expected.map(({ id }) => id);
          expect([found('first'), found('last')]).toEqual([ids.slice(0, 30), ids.slice(-30)]);
          expect(data.first).toMatchObject({ totalCount: Math.min(ids.length, 1000) });
        }
  });

  test('are paged both ways, whatever else is asked of them', async () => {
    const { sql } = gateway;
    await placeByMinute(sql);
    await sql`update tickets set active_at = at, listed_at = at, is_listed_by_minute = false
      from (select id, now() - interval '1 day' - id * interval '41 seconds' as at from tickets) m
      where m.id = tickets.id and m.id % 3 <> 0`;
    await sql`vacuum analyze tickets, deliveries`;
    const [requester] = await sql<{ id: number }[]>`select requester_id as id from tickets where id = 47`;
    const all = await sql<{ id: number; at: Date; isOpen: boolean; isTheirs: boolean; isSettled: boolean }[]>`
      select id, active_at as at, status = 'OPEN' as "isOpen", requester_id = ${requester!.id} as "isTheirs",
        not exists (select from deliveries d where d.ticket_id = tickets.id and d.settled_at is null)
          as "isSettled"
      from tickets order by id desc`;
    const conditions: readonly (readonly [filter: string, holds: (one: (typeof all)[number]) => boolean])[] =
      [
        ['', () => true],
        ['status: OPEN', ({ isOpen }) => isOpen],
        [`requester: "${encodeGlobalId('Person', requester!.id)}"`, ({ isTheirs }) => isTheirs],
        ['hasUnsettledDelivery: false', ({ isSettled }) => isSettled],
        ['hasUnsettledDelivery: true', ({ isSettled }) => !isSettled],
      ];
    const times = [300, 900, 2000].map((n) => all.map(({ at }) => at).sort((a, b) => +b - +a)[n]!);
    for (const since of times)
      for (const [condition, holds] of sampled(conditions, 2)) {
        const filter = `filter: { updatedAfter: "${since.toISOString()}" ${condition} }`;
        const page = async (paging: string) => {
          const query = `{ tickets(orderBy: CREATED, ${paging}, ${filter}) {
            nodes { ticketId } pageInfo { startCursor endCursor } totalCount } }`;
          const { data } = await gateway.graphql<Listed>(query, {}, { authorization: asOperator });
          const { nodes, pageInfo, totalCount } = data.tickets;
          return { ...pageInfo, totalCount, ids: nodes.map((node) => node.ticketId) };
        };
        const ids = all.filter((one) => one.at > since && holds(one)).map(({ id }) => id);
        const newest = await page('first: 3');
        const next = await page(`first: 3, after: "${newest.endCursor}"`);
        const oldest = await page('last: 3');
        const previous = await page(`last: 3, before: "${oldest.startCursor}"`);
        const back = await page(`last: 2, before: "${next.startCursor}"`);
        const between = await page(`first: 9, after: "${newest.startCursor}", before: "${next.endCursor}"`);
        expect([newest, next, previous, oldest, back, between].map((one) => one.ids)).toEqual([
          ...[ids.slice(0, 3), ids.slice(3, 6), ids.slice(-6, -3), ids.slice(-3)],
          ...[ids.slice(1, 3), ids.slice(1, 5)],
        ]);
        expect(newest.totalCount).toBe(Math.min(ids.length, 1000));
      }
  });
});

interface Listed {
  tickets: {
    nodes: { ticketId: number }[];
    pageInfo: { startCursor: string; endCursor: string };
    totalCount: number;
  };
}
