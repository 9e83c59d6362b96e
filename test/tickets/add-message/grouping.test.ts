import { afterAll, beforeAll, expect, test } from 'vitest';
import type { GroupCommitLimits } from '../../../src/tickets/add-message/commit/group-limits.ts';
import { countWaiting, createTestDatabase } from '../../support/database.ts';
import { turn } from '../../support/eventually.ts';
import { type Gateway, startGateway } from '../../support/gateway.ts';
import { openDatabaseDoor } from '../../support/servers/database-door.ts';
import { add } from '../calls.ts';

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway({
    env: { ROLES: 'web' },
    overrides: { writer: { lockPatience: 600_000 } },
  });
});
afterAll(() => gateway[Symbol.asyncDispose]());

const addTo = (of: Gateway, ticketId: number, body = `to ${ticketId}`) =>
  add(of, { ticket: { ticketId }, body });
interface Slow extends AsyncDisposable {
  readonly gateway: Gateway;
  /** One message whose statement takes until all others are there, each with this body if there is one. */
  queued(others: number, body?: string): Promise<ReturnType<typeof add>[]>;
}

/** Whatever had been sent to the gateway before this has come to where it waits. */
async function roundTrips({ graphql }: Gateway): Promise<void> {
  for (let n = 0; n < 30; n += 1) await graphql('{ __typename }');
}

/** A gateway with one statement in flight, whose way to the database can be held up. */
async function startSlow(writer: GroupCommitLimits): Promise<Slow> {
  await using parts = new AsyncDisposableStack();
  const database = parts.use(await createTestDatabase('demo'));
  const door = parts.use(await openDatabaseDoor(database.connection));
  const of = parts.use(
    await startGateway({
      env: { ROLES: 'web' },
      database: { ...database, connection: door.through(database.connection) },
      overrides: { writer: { statementsInFlight: 1, ...writer } },
    }),
  );
  const held = parts.move();
  return {
    gateway: of,
    async queued(others, body) {
      await addTo(of, 50);
      door.hold();
      const calls = [addTo(of, 50)];
      await door.whenHeld();
      for (let n = 0; n < others; n += 1) calls.push(addTo(of, 2 + n, body));
      await roundTrips(of);
      door.release();
      return calls;
    },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

test('a ticket’s lock delays no other ticket’s messages', async () => {
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
  });
  expect((await blocked!).__typename).toBe('AddTicketMessagePayload');
});

/** So long that a message that is kept for it is never answered within a test. */
const endless = 600_000;

test('callers of a long statement that come again one after another share the next', async () => {
  await using slow = await startSlow({ patience: endless, worthwhileRows: 12 });
  const of = slow.gateway;
  const commitsOf = async (answers: Awaited<ReturnType<typeof add>>[]) => {
    const ids = answers.map(({ ticketMessage }) => ticketMessage.messageId);
    const [row] = await of.sql<{ commits: number }[]>`
      select count(distinct xmin::text)::int as commits from events where message_id = any (${ids})`;
    return row!.commits;
  };
  expect(await commitsOf(await Promise.all(await slow.queued(16)))).toBe(2);
  const again = [];
  for (let n = 0; n < 12; n += 1) {
    again.push(addTo(of, 2 + n));
    await turn();
  }
  expect(await commitsOf(await Promise.all(again))).toBe(1);
});

test('a lone caller is not kept', async () => {
  await using slow = await startSlow({ patience: endless });
  for (let n = 0; n < 3; n += 1)
    expect((await addTo(slow.gateway, 1)).__typename).toBe('AddTicketMessagePayload');
});

test('what is as long as a statement may be waits for nobody', async () => {
  await using slow = await startSlow({ patience: endless, groupRows: 8 });
  let pending = 0;
  let answered = 0;
  const follow = (call: ReturnType<typeof add>) => {
    pending += 1;
    void call.then(({ __typename }) => {
      expect(__typename).toBe('AddTicketMessagePayload');
      answered += 1;
      pending -= 1;
    });
  };
  (await slow.queued(16)).forEach(follow);
  await expect.poll(() => answered).toBeGreaterThanOrEqual(9);
  // On a busy machine some came after the groups, and were too few for another one.
  while (pending > 0) {
    for (let n = pending % 8; n < 8; n += 1) follow(addTo(slow.gateway, 2 + n));
    await roundTrips(slow.gateway);
  }
});

test('the bodies of a statement have at most 2 MiB, as they are encoded', async () => {
  await using slow = await startSlow({});
  const body = '\u7968'.repeat(80_000);
  await Promise.all(await slow.queued(12, body));
  const groups = await slow.gateway.sql<{ n: number }[]>`
    select count(*)::int as n from messages where body = ${body} group by xmin::text`;
  const rows = groups.map(({ n }) => n);
  expect(rows.reduce((sum, n) => sum + n)).toBe(12);
  expect(Math.max(...rows)).toBeLessThanOrEqual(8);
});
