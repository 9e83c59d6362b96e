import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { add } from './calls.ts';

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway({ env: { ROLES: 'web' } });
});
afterAll(() => gateway[Symbol.asyncDispose]());

const addTo = (ticketId: number) => add(gateway, { ticket: { ticketId }, body: `to ${ticketId}` });
const isWaiting = async ({ sql }: Gateway) =>
  (await sql`select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`)
    .length === 1;

test('messages to other tickets do not wait for one that waits for its ticket, however few they are, and share commits when they are many', async () => {
  let blocked: ReturnType<typeof add> | undefined;
  let isAnswered = false;
  await gateway.sql.begin(async (tx) => {
    await tx`select from tickets where id = 50 for update`;
    blocked = addTo(50);
    void blocked.then(() => (isAnswered = true));
    // Those that arrive with it share its statement; these come when it is already waiting.
    await expect.poll(() => isWaiting(gateway)).toBe(true);
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

test('callers of a long statement that come again one after another share the next; a lone caller is not kept', async () => {
  await using patient = await startGateway({
    env: { ROLES: 'web' },
    overrides: { writer: { patience: 1000, statementsInFlight: 1 } },
  });
  const write = (ticketId: number) => add(patient, { ticket: { ticketId }, body: `to ${ticketId}` });
  const commitsOf = async (answers: Awaited<ReturnType<typeof write>>[]) => {
    const ids = answers.map(({ ticketMessage }) => ticketMessage.messageId);
    const [row] = await patient.sql<{ commits: number }[]>`
      select count(distinct xid)::int as commits from events where message_id = any (${ids})`;
    return row!.commits;
  };
  await write(1);
  const startedAt = performance.now();
  await write(1);
  await write(1);
  expect(performance.now() - startedAt).toBeLessThan(450);

  let many: ReturnType<typeof write>[] = [];
  await patient.sql.begin(async (tx) => {
    await tx`select from tickets where id = 50 for update`;
    const before = write(50);
    await expect.poll(() => isWaiting(patient)).toBe(true);
    many = [before, ...Array.from({ length: 16 }, (_, n) => write(2 + n))];
    await sleep(200);
  });
  expect(await commitsOf(await Promise.all(many))).toBe(2);
  const again = [];
  for (let n = 0; n < 12; n += 1) {
    again.push(write(2 + n));
    await sleep(10);
  }
  expect(await commitsOf(await Promise.all(again))).toBe(1);
});
