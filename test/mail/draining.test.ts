import { expect, test } from 'vitest';
import type { WorkerStep } from '../../src/mail/worker/steps.ts';
import { shareDatabase } from '../support/database.ts';
import { inState, until, viewDelivery } from './world/desk.ts';
import { createWorld } from './world/world.ts';

/* A worker that ends while mail servers say nothing. */

const database = shareDatabase();

const patient = { timeouts: { connect: 60_000, envelope: 60_000, bodyStall: 60_000, final: 60_000 } };
const states = async (world: Awaited<ReturnType<typeof createWorld>>) =>
  (
    await world.sql<{ state: string; n: number }[]>`
      select state, count(*)::int as n from deliveries group by state order by state`
  ).map(({ state, n }) => `${n} ${state}`);

test.each(['CONNECT', 'MAIL'] as const)(
  'at a server that is silent at %s, mails that were not begun are given back, and another worker sends them',
  async (at) => {
    await using world = await createWorld(database());
    world.sink.setFaults([{ at, answer: 'hang' }]);
    for (let n = 1; n <= 5; n += 1) await world.queue({ ticketId: n });
    const worker = world.work({ ...patient, connections: 2, drain: { beginsMs: 50 } });
    await expect.poll(() => states(world)).toEqual(['5 TRANSMITTING']);
    await expect.poll(() => world.sink.steps.filter(({ step }) => step === at).length).toBe(2);
    await worker[Symbol.asyncDispose]();
    expect(await states(world)).toEqual(['5 QUEUED']);
    world.sink.setFaults([]);
    world.work();
    await world.sink.received(5);
    await expect.poll(() => states(world)).toEqual(['5 SENT']);
    expect(world.sink.mails).toHaveLength(5);
  },
);

test('a mail without an answer after its end is waited for, then its outcome is unknown', async () => {
  await using world = await createWorld(database());
  world.sink.setFaults([{ at: 'DOT', answer: 'hang' }]);
  const id = await world.queue();
  const worker = world.work({ ...patient, drain: { beginsMs: 10, endsMs: 400 } });
  await expect.poll(() => world.sink.steps.some(({ step }) => step === 'DOT')).toBe(true);
  await worker[Symbol.asyncDispose]();
  const view = await until(world.sql, id, inState('OUTCOME_UNKNOWN'));
  expect(view.log).toMatchObject([{ phase: 'BODY', outcome: 'OUTCOME_UNKNOWN' }]);
});

test('a mail that was begun before its mailbox was edited is cut in time too', async () => {
  await using world = await createWorld(database());
  world.sink.setFaults([{ at: 'DOT', answer: 'hang' }]);
  const id = await world.queue();
  const ends = { beginsMs: 10, endsMs: 400 };
  const worker = world.work({ ...patient, drain: ends });
  await expect.poll(() => world.sink.steps.some(({ step }) => step === 'DOT')).toBe(true);
  world.sink.setFaults([]);
  await world.sql`update mailboxes set smtp_url = ${world.sink.url}`;
  const later = await world.queue({ ticketId: 2 });
  await until(world.sql, later, inState('SENT'));
  await worker[Symbol.asyncDispose]();
  // Without the cut the worker gives the mail up, and only its lease would tell.
  expect((await viewDelivery(world.sql, id)).state).toBe('OUTCOME_UNKNOWN');
});

test('so is one that was prepared before, and sent after', async () => {
  await using world = await createWorld(database());
  const id = await world.queue();
  const { promise: edited, resolve: goOn } = Promise.withResolvers<void>();
  let isPrepared = false;
  const worker = world.work({
    ...patient,
    drain: { beginsMs: 10, endsMs: 400 },
    trace: async (step: WorkerStep, deliveryId: number) => {
      if (step !== 'connecting' || deliveryId !== id) return;
      isPrepared = true;
      await edited;
    },
  });
  await expect.poll(() => isPrepared).toBe(true);
  await world.sql`update mailboxes set smtp_url = ${world.sink.url}`;
  const later = await world.queue({ ticketId: 2 });
  await until(world.sql, later, inState('SENT'));
  const before = world.sink.steps.filter(({ step }) => step === 'DOT').length;
  world.sink.setFaults([{ at: 'DOT', answer: 'hang' }]);
  goOn();
  await expect.poll(() => world.sink.steps.filter(({ step }) => step === 'DOT').length).toBe(before + 1);
  await worker[Symbol.asyncDispose]();
  expect((await viewDelivery(world.sql, id)).state).toBe('OUTCOME_UNKNOWN');
});

test('a server that is only slow is waited for, and the mail is sent', async () => {
  await using world = await createWorld(database());
  world.sink.setFaults([{ at: 'DOT', delayMs: 300 }]);
  const id = await world.queue();
  const worker = world.work({ ...patient, drain: { beginsMs: 10 } });
  await expect.poll(() => world.sink.steps.some(({ step }) => step === 'DOT')).toBe(true);
  await worker[Symbol.asyncDispose]();
  await until(world.sql, id, inState('SENT'));
});
