import { sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/postgres-js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { prepareAppend } from '../../../src/tickets/add-message/commit/append-statement.ts';
import { plainMessage } from '../../mail/world/parts.ts';
import { asOperator, asRequester, type Gateway, startGateway } from '../../support/gateway.ts';
import { soaking } from '../../support/soak.ts';
import { add, ask } from '../calls.ts';

/* Lists by the last message, of tickets with one and with several messages in a minute. */

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway({ env: { ROLES: 'web', DATABASE_POOL: '2' } });
});
afterAll(() => gateway[Symbol.asyncDispose]());

interface Page {
  pageInfo: { startCursor: string; endCursor: string };
  nodes: { ticketId: number }[];
}
const list = (args: string, authorization: string) =>
  ask<Page>(
    gateway,
    `{ tickets(orderBy: LAST_MESSAGE, ${args}) { pageInfo { startCursor endCursor } nodes { ticketId } } }`,
    {},
    { authorization },
  );
const idsOf = ({ nodes }: Page) => nodes.map(({ ticketId }) => ticketId);

/** Pages of so many, both ways, put together. */
async function walk(size: number, way: 'first' | 'last', authorization: string): Promise<number[]> {
  const found: number[][] = [];
  for (let place = ''; ; ) {
    const page = await list(`${way}: ${size}${place}`, authorization);
    found.push(idsOf(page));
    if (page.nodes.length < size) break;
    place =
      way === 'first' ? `, after: "${page.pageInfo.endCursor}"` : `, before: "${page.pageInfo.startCursor}"`;
  }
  return (way === 'first' ? found : found.reverse()).flat();
}

/** What the list must be, from the messages alone. */
const expected = async (authorization: string) => {
  const isAll = authorization === asOperator;
  const rows = await gateway.sql<{ id: number }[]>`
    select t.id from tickets t
    where ${isAll} or t.requester_id = (select id from users where login = 'requester')
    order by coalesce((select m.created_at from messages m where m.ticket_id = t.id
      and (${isAll} or m.visibility = 'PUBLIC') order by m.id desc limit 1), t.created_at) desc, t.id desc`;
  return rows.map(({ id }) => id);
};

test('the order is that of the last messages, whatever else happened in their minute', async () => {
  const written = [47, 42, 12, 7, 17, 3, 47, 42, 42, 1, 12, 47, 3, 3, 7];
  for (const [n, ticketId] of written.entries())
    await add(gateway, {
      ticket: { ticketId },
      body: `message ${n}`,
      visibility: n % 3 === 1 ? 'PRIVATE' : 'PUBLIC',
    });
  for (const authorization of [asOperator, asRequester]) {
    const all = await expected(authorization);
    expect(idsOf(await list('first: 100', authorization))).toEqual(all.slice(0, 100));
    for (const way of ['first', 'last'] as const)
      expect(await walk(soaking ? 3 : 7, way, authorization)).toEqual(all);
  }
});

test('a ticket with many messages in a minute is moved in its indexes a few times only', async () => {
  const db = drizzle(gateway.sql);
  const row = { ...plainMessage('again'), ticketId: 47, viewerId: 1, isOperator: true };
  const [counted] = await db.transaction(async (tx) => {
    const append = prepareAppend(tx as never, { rows: 'plain' });
    for (let n = 0; n < 20; n++) await append.execute({ rows: JSON.stringify([row]), sendsByDefault: true });
    return tx.execute<{ all: string; hot: string }>(sql`
      select n_tup_upd as all, n_tup_hot_upd as hot from pg_stat_xact_user_tables where relname = 'tickets'`);
  });
  expect(Number(counted!.all)).toBe(20);
  // Twice a minute, and they may be of two minutes.
  expect(Number(counted!.hot)).toBeGreaterThanOrEqual(16);
});
