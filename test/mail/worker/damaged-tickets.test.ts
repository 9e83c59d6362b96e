import { expect, test } from 'vitest';
import { createLog } from '../../../src/platform/log.ts';
import { countWaiting, shareDatabase } from '../../support/database.ts';
import { inState, until, viewDelivery } from '../world/desk.ts';
import { createWorld } from '../world/world.ts';

/* Rows beside the mails that a worker's statements for many mails cannot handle. */

const database = shareDatabase();

type World = Awaited<ReturnType<typeof createWorld>>;

/** Ticket 1 has lost count of its events, so that none can be added. */
const damageTicket = ({ sql }: World) => sql`update tickets set last_event_number = 0 where id = 1`;
const repairTicket = ({ sql }: World) => sql`
  update tickets set last_event_number = (select max(number) from events where ticket_id = 1) where id = 1`;

function logLines() {
  const lines: string[] = [];
  const log = createLog('error', { write: (line: string) => lines.push(line) > 0 } as never);
  return { log, lines };
}

test('an outcome that cannot be written holds up no other, and is written when it can be', async () => {
  await using world = await createWorld(database());
  const { sql, sink } = world;
  const { log, lines } = logLines();
  const answered = Promise.withResolvers<void>();
  sink.setFaults([{ at: 'DOT', until: answered.promise }]);
  const first = await world.queue({ ticketId: 3, state: 'HELD', dueAt: new Date(Date.now() + 9e6) });
  const ids = [await world.queue({ ticketId: 1 }), await world.queue({ ticketId: 2 })];
  await damageTicket(world);
  world.work({ log });
  await expect.poll(() => sink.steps.filter(({ step }) => step === 'DOT').length).toBe(2);
  sink.setFaults([]);
  // While the outcome of another mail is being written, those of these two gather.
  const owner = world.asOwner(2);
  await owner.begin(async (tx) => {
    await tx`lock table events in exclusive mode`;
    await sql`update deliveries set due_at = now() where id = ${first}`;
    await expect.poll(() => countWaiting(owner)).toBe(1);
    answered.resolve();
    await sink.received(3);
  });
  await until(sql, ids[1]!, inState('SENT'));
  await expect.poll(() => lines.join('')).toContain('settlement failed');
  expect((await viewDelivery(sql, ids[0]!)).state).toBe('TRANSMITTING');
  await repairTicket(world);
  await until(sql, ids[0]!, inState('SENT'));
  expect(sink.mails).toHaveLength(3);
});

test('a dead worker’s mail that cannot be recovered holds up no other', async () => {
  await using world = await createWorld(database());
  const { log, lines } = logLines();
  const ids = [await world.queue({ ticketId: 1 }), await world.queue({ ticketId: 2 })];
  await world.sql`update deliveries set state = 'TRANSMITTING', phase = 'BODY', attempt = gen_random_uuid(),
    attempts = 1, lease_until = now() - interval '1 minute'`;
  await damageTicket(world);
  world.work({ log });
  await until(world.sql, ids[1]!, inState('OUTCOME_UNKNOWN'));
  await expect.poll(() => lines.join('')).toContain(`"deliveryId":${ids[0]}`);
  expect((await viewDelivery(world.sql, ids[0]!)).state).toBe('TRANSMITTING');
  expect(world.sink.mails).toEqual([]);
});

test('a mail that cannot be cancelled waits with the reason, and holds up no other', async () => {
  await using world = await createWorld(database());
  const { log, lines } = logLines();
  const cancelIf = ['OPERATOR_REPLIED'];
  const broken = await world.queue({ ticketId: 1, cancelIf });
  const cancelled = await world.queue({ ticketId: 2, cancelIf });
  for (const ticketId of [1, 2])
    await world.queue({ ticketId, state: 'HELD', dueAt: new Date(Date.now() + 9e6) });
  const free = await world.queue({ ticketId: 3, cancelIf });
  await damageTicket(world);
  world.work({ log });
  await until(world.sql, free, inState('SENT'));
  expect((await viewDelivery(world.sql, cancelled)).state).toBe('CANCELLED');
  const waits = await viewDelivery(world.sql, broken);
  expect(waits).toMatchObject({ state: 'QUEUED', attempts: 0 });
  expect(waits.failure).toMatch(/^Waiting: it cannot be checked whether someone replied/);
  expect(waits.dueAt.getTime()).toBeGreaterThan(Date.now() + 100_000);
  expect(lines.filter((line) => line.includes(`"deliveryId":${broken}`))).toHaveLength(1);

  await repairTicket(world);
  await world.sql`update deliveries set due_at = now() where id = ${broken}`;
  await until(world.sql, broken, inState('CANCELLED'));
});

test('more answered mails than one round checks are all cancelled', async () => {
  await using world = await createWorld(database());
  const ids: number[] = [];
  for (let n = 0; n < 45; n += 1)
    ids.push(await world.queue({ ticketId: 1 + (n % 3), cancelIf: ['OPERATOR_REPLIED'] }));
  for (const ticketId of [1, 2, 3])
    await world.queue({ ticketId, state: 'HELD', dueAt: new Date(Date.now() + 9e6) });
  world.work();
  for (const id of ids) await until(world.sql, id, inState('CANCELLED'));
  expect(world.sink.mails).toEqual([]);
});

test('a mailbox whose rate is 0 sends nothing, and holds up no other', async () => {
  await using world = await createWorld(database());
  const { log, lines } = logLines();
  await world.sql`insert into mailboxes (id, address, display_name, rate_per_minute) overriding system value
    values (99, 'paused@domain.com', 'Paused', 0)`;
  const paused = await world.queue({ ticketId: 1, mailboxId: 99 });
  world.work({ log });
  await until(world.sql, await world.queue({ ticketId: 2 }), inState('SENT'));
  expect(await viewDelivery(world.sql, paused)).toMatchObject({ state: 'QUEUED', attempts: 0 });
  expect(lines).toEqual([]);
});

test('a mail whose attempts were set back by hand is sent, keeps them, and holds up no other', async () => {
  await using world = await createWorld(database());
  world.work();
  world.sink.setFaults([{ at: 'RCPT', reply: '550 5.1.1 no such user', times: 1 }]);
  const id = await world.queue({ ticketId: 1 });
  await until(world.sql, id, inState('FAILED'));
  world.sink.setFaults([]);
  await world.sql`update delivery_recipients set state = 'PENDING' where delivery_id = ${id}`;
  await world.sql`update deliveries set state = 'QUEUED', attempts = 0, due_at = now() where id = ${id}`;
  await until(world.sql, await world.queue({ ticketId: 2 }), inState('SENT'));
  const { log } = await until(world.sql, id, inState('SENT'));
  expect(log.map(({ number, outcome }) => [number, outcome])).toEqual([
    [1, 'FAILED'],
    [2, 'SENT'],
  ]);
});
