import postgres from 'postgres';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { recover, release } from '../../../src/mail/outbox/leases.ts';
import { fillDesk, inState, until, viewDelivery } from '../world/desk.ts';
import { createWorld } from '../world/world.ts';

/* Mails that wait again: after an attempt that sent nothing, and after a clock that was set back. */

let world: Awaited<ReturnType<typeof createWorld>>;
let sql: postgres.Sql;
/** Whoever owns the tables may empty them. */
let owner: postgres.Sql;
beforeAll(async () => {
  world = await createWorld();
  sql = world.sql;
  owner = postgres({ ...(world.ownerConnection as object), max: 1, onnotice: () => {} });
});
afterAll(async () => {
  await owner.end();
  await world[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await owner`truncate users, mailboxes, tickets cascade`;
  await fillDesk(sql);
});

const token = '00000000-0000-4000-8000-000000000001';
/** What a claim leaves: an attempt that has not reached its fence. */
async function claimed(id: number, lease: string): Promise<void> {
  await sql`update deliveries set state = 'TRANSMITTING', phase = 'CONNECT', attempt = ${token},
    attempts = attempts + 1, lease_until = clock_timestamp() + ${lease}::interval where id = ${id}`;
  await sql`insert into delivery_attempts (delivery_id, number, token, worker, started_at)
    select id, attempts, attempt, 'another worker', clock_timestamp() from deliveries where id = ${id}`;
}

const ends = {
  'its worker stops': (id: number) => release(sql, [{ id, token }]),
  'its worker dies': () => recover(sql, new Date()),
};
for (const [name, end] of Object.entries(ends))
  test(`a mail that was deferred is deferred again when ${name}, as its watchers were told`, async () => {
    const states = { DEFERRED: 'DEFERRED', PENDING: 'QUEUED' };
    for (const [recipient, state] of Object.entries(states)) {
      const id = await world.queue();
      await sql`update delivery_recipients set state = ${recipient} where delivery_id = ${id}`;
      await claimed(id, '-1 second');
      await end(id);
      expect(await viewDelivery(sql, id)).toMatchObject({ state, events: [], log: [{ outcome: 'QUEUED' }] });
    }
  });

test('after the clock was set back by a day, nothing waits for the old time but what is held', async () => {
  const tomorrow = new Date(Date.now() + 86_400_000);
  const deferred = await world.queue({ state: 'DEFERRED', dueAt: tomorrow, giveUpAt: tomorrow });
  const queued = await world.queue({ ticketId: 2, dueAt: tomorrow });
  const underWay = await world.queue({ ticketId: 3 });
  await claimed(underWay, '1 day');
  const held = await world.queue({ ticketId: 4, state: 'HELD', dueAt: tomorrow });
  await sql`update mailboxes set rate_per_minute = 6000, paced_until = ${tomorrow}`;
  world.work({ leaseSeconds: 1 });
  for (const id of [deferred, queued, underWay]) await until(sql, id, inState('SENT'));
  expect(await viewDelivery(sql, held)).toMatchObject({ state: 'HELD', dueAt: tomorrow });
  expect(world.sink.mails).toHaveLength(3);
});
