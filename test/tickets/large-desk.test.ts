import { expect, test } from 'vitest';
import { encodeGlobalId } from '../../src/platform/global-id.ts';
import { asOperator, asRequester, startGateway } from '../support/gateway.ts';
import { createCountedDatabase, executedStatements } from '../support/observed/executed-statements.ts';

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
      ['{}', '{ status: OPEN }', '{ status: CLOSED }'].map((filter) => [
        `tickets by ${orderBy} of ${filter}`,
        `{ tickets(first: 10, orderBy: ${orderBy}, filter: ${filter}) { ${listed} } }`,
      ]),
    ),
  ),
};
/** A requester's search reads their own rows up to a bound, so it is not compared here. */
const searches: Readonly<Record<string, string>> = {
  'a rare word': '{ search(text: "xylophone", first: 10) { nodes { ticketMessage { id } } } }',
};
/** A desk grows by this many tickets, half of them the demo requester's, and messages. */
const tickets = 8000;
const perTicket = 2;

test('no read visits more of the database on a large desk than on a small one, for anybody', async () => {
  await using database = await createCountedDatabase();
  await using gateway = await startGateway({ database, env: { ROLES: 'web', DATABASE_POOL: '2' } });
  const { sql } = gateway;
  const cursors = new Map<string, string>();
  for (const authorization of [asOperator, asRequester]) {
    const query = '{ ticket(by: { ticketId: 47 }) { cursor } }';
    const { data } = await gateway.graphql<{ ticket: { cursor: string } }>(query, {}, { authorization });
    cursors.set(authorization, data.ticket.cursor);
  }
  const blocksOf = async (query: string, authorization: string) => {
    const asked = query.replace('LAST"', `${cursors.get(authorization)}"`);
    const run = () => gateway.graphql(asked, {}, { authorization });
    // A connection's first execution of a statement reads the catalogue as well.
    for (let n = 0; n < 4; n++) await run();
    const executed = await executedStatements(sql, async () => expect((await run()).errors).toBeUndefined());
    return executed.reduce((sum, { blocks }) => sum + blocks, 0);
  };
  const measure = async () => {
    await sql`vacuum analyze tickets, messages, events, users`;
    const found: Record<string, number> = {};
    for (const [who, authorization, asked] of [
      ['operator', asOperator, { ...reads, ...searches }],
      ['requester', asRequester, reads],
    ] as const)
      for (const [name, query] of Object.entries(asked))
        found[`${name}, ${who}`] = await blocksOf(query, authorization);
    return found;
  };
  const small = await measure();
  await sql`
    with t as (
      insert into tickets (reference, subject, status, requester_id)
      select 'BIG-' || n, 'Of a large desk', case when n % 20 = 0 then 'OPEN' else 'CLOSED' end,
        case when n % 2 = 0 then (select requester_id from tickets where id = 47) else 1 end
      from generate_series(1, ${tickets}) n returning id
    ), m as (
      insert into messages (ticket_id, author_id, body, format, visibility, is_mobile_device)
      select t.id, 1, 'filler ' || n, 'TEXT', 'PUBLIC', false from t, generate_series(1, ${perTicket}) n
      returning id, ticket_id
    )
    insert into events (ticket_id, number, public_number, type, visibility, message_id)
    select ticket_id, n, n, 'MESSAGE_ADDED', 'PUBLIC', id
    from (select *, row_number() over (partition by ticket_id order by id) as n from m) m`;
  // A third had two messages within a minute, each in another one.
  await sql`update tickets set is_listed_by_minute = true, is_public_listed_by_minute = true,
    listed_at = minute, public_listed_at = minute, active_at = last, public_active_at = last
    from (select id, date_trunc('minute', now()) - id * interval '1 minute' as minute,
        date_trunc('minute', now()) - id * interval '1 minute' + interval '7 seconds' as last from tickets) m
    where m.id = tickets.id and reference like 'BIG-%' and m.id % 3 = 0`;
  await sql`update tickets t set last_message_id = m.id, last_public_message_id = m.id
    from (select ticket_id, max(id) as id from messages group by 1) m where m.ticket_id = t.id`;
  const large = await measure();
  const grown = Object.keys(small).filter((name) => large[name]! > 1.25 * small[name]! + 150);
  expect(grown.map((name) => [name, small[name], large[name]])).toEqual([]);
});
