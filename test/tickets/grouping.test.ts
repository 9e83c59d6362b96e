import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { add } from './calls.ts';

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway({ env: { ROLES: 'web' } });
});
afterAll(() => gateway[Symbol.asyncDispose]());

const addTo = (ticketId: number) => add(gateway, { ticket: { ticketId }, body: `to ${ticketId}` });

test('messages to other tickets do not wait for one that waits for its ticket, however few they are, and share commits when they are many', async () => {
  let blocked: ReturnType<typeof add> | undefined;
  let isAnswered = false;
  await gateway.sql.begin(async (tx) => {
    await tx`select from tickets where id = 50 for update`;
    blocked = addTo(50);
    void blocked.then(() => (isAnswered = true));
    // Those that arrive with it share its statement; these come when it is already waiting.
    await expect
      .poll(
        async () => (await gateway.sql`select from pg_stat_activity where wait_event_type = 'Lock'`).length,
      )
      .toBe(1);
    const few = await Promise.all([1, 2, 3].map(addTo));
    const many = await Promise.all(Array.from({ length: 40 }, (_, n) => addTo(4 + n)));
    for (const { __typename } of [...few, ...many]) expect(__typename).toBe('AddTicketMessagePayload');
    expect(isAnswered).toBe(false);
    const ids = many.map(({ ticketMessage }) => ticketMessage.messageId);
    const [row] = await gateway.sql<{ commits: number }[]>`
      select count(distinct xid)::int as commits from events where message_id = any (${ids})`;
    expect(row!.commits).toBeLessThan(30);
  });
  expect((await blocked!).__typename).toBe('AddTicketMessagePayload');
});
