import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { countWaiting } from '../support/database.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { add } from './calls.ts';

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway({ env: { ROLES: 'web' } });
});
afterAll(() => gateway[Symbol.asyncDispose]());

const addTo = (of: Gateway, ticketId: number) => add(of, { ticket: { ticketId }, body: `to ${ticketId}` });
/** One message that has waited for its ticket until now, and others that have waited for its statement. */
async function queued(of: Gateway, others: number) {
  const calls: ReturnType<typeof add>[] = [];
  await of.sql.begin(async (tx) => {
    await tx`select from tickets where id = 50 for update`;
    calls.push(addTo(of, 50));
    await expect.poll(() => countWaiting(of.sql)).toBe(1);
    for (let n = 0; n < others; n += 1) calls.push(addTo(of, 2 + n));
    await sleep(200);
  });
  return calls;
}

test('messages to other tickets do not wait for one that waits for its ticket, however few they are, and share commits when they are many', async () => {
  let blocked: ReturnType<typeof add> | undefined;
  let isAnswered = false;
  await gateway.sql.begin(async (tx) => {
    await tx`select from tickets where id = 50 for update`;
    blocked = addTo(gateway, 50);
    void blocked.then(() => (isAnswered = true));
    // Those that arrive with it share its statement; these come when it is already waiting.
    await expect.poll(() => countWaiting(gateway.sql)).toBe(1);
    const few = await Promise.all([1, 2, 3].map((ticketId) => addTo(gateway, ticketId)));
    const many = await Promise.all(Array.from({ length: 40 }, (_, n) => addTo(gateway, 4 + n)));
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
  const commitsOf = async (answers: Awaited<ReturnType<typeof add>>[]) => {
    const ids = answers.map(({ ticketMessage }) => ticketMessage.messageId);
    const [row] = await patient.sql<{ commits: number }[]>`
      select count(distinct xid)::int as commits from events where message_id = any (${ids})`;
    return row!.commits;
  };
  await addTo(patient, 1);
  const startedAt = performance.now();
  await addTo(patient, 1);
  await addTo(patient, 1);
  expect(performance.now() - startedAt).toBeLessThan(450);

  expect(await commitsOf(await Promise.all(await queued(patient, 16)))).toBe(2);
  const again = [];
  for (let n = 0; n < 12; n += 1) {
    again.push(addTo(patient, 2 + n));
    await sleep(10);
  }
  expect(await commitsOf(await Promise.all(again))).toBe(1);
});

test('what is as long as a statement may be waits for nobody', async () => {
  await using small = await startGateway({
    env: { ROLES: 'web' },
    overrides: { writer: { patience: 4000, statementsInFlight: 1, groupRows: 8 } },
  });
  const calls = await queued(small, 16);
  const startedAt = performance.now();
  for (const { __typename } of await Promise.all(calls)) expect(__typename).toBe('AddTicketMessagePayload');
  expect(performance.now() - startedAt).toBeLessThan(1500);
});
