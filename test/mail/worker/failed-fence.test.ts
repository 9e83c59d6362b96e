import type postgres from 'postgres';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { type Gateway, startGateway } from '../../support/gateway.ts';
import { soaking } from '../../support/soak.ts';
import { type Added, add } from '../../tickets/calls.ts';

/*
 * The fence is the commit after the server's 354 and before the first byte of a mail. When it fails, nothing
 * was sent and no server is to blame.
 */

let gateway: Gateway;
/** Mails that arrived before the test. */
let before: number;
beforeAll(async () => {
  gateway = await startGateway({ env: { ROLES: 'web,worker' } });
});
beforeEach(() => {
  before = gateway.sink.mails.length;
});
afterEach(() => gateway.sink.setFaults([]));
afterAll(() => gateway[Symbol.asyncDispose]());

const mailTo = (gateway: Gateway, ticketId: number) =>
  add(gateway, { ticket: { ticketId }, email: { from: 'company@domain.com' } });

const attemptsOf = ({ sql }: Gateway, { ticketMessage }: Added) => sql`
  select a.phase, a.outcome, a.body_at is not null as began
  from delivery_attempts a join deliveries d on d.id = a.delivery_id
  where d.message_id = ${ticketMessage.messageId} order by a.number`;

const eventsOf = ({ sql }: Gateway, { ticketMessage }: Added) => sql`
  select type from events where delivery_id in (
    select id from deliveries where message_id = ${ticketMessage.messageId}) order by number`;

/**
 * Adds a mail, and makes its fence wait for a lock and end with an error of the database.
 * @param meanwhile is awaited while the fence waits
 */
async function failFence(
  gateway: Gateway,
  meanwhile: (tx: postgres.TransactionSql) => unknown = () => {},
): Promise<Added> {
  const { sql, sink } = gateway;
  const ready = Promise.withResolvers<void>();
  sink.setFaults([{ at: 'DATA', until: ready.promise, times: 1 }]);
  const reached = sink.steps.length;
  const added = await mailTo(gateway, 5);
  await eventually(() => sink.steps.slice(reached).some(({ step }) => step === 'DATA'));
  // The fence waits for the commit of the mail's source.
  await eventually(async () => {
    const { messageId } = added.ticketMessage;
    const stored = await sql`select from delivery_sources s join deliveries d on d.id = s.delivery_id
      where d.message_id = ${messageId}`;
    return stored.length === 1;
  });
  await sql.begin(async (tx) => {
    await tx`lock table deliveries in access exclusive mode`;
    ready.resolve();
    const fence = await eventually(async () => {
      const [backend] = await sql`select pid from pg_stat_activity where datname = current_database()
        and wait_event_type = 'Lock' and query like '%update "deliveries"%set "phase"%'`;
      return backend;
    });
    await meanwhile(tx);
    await sql`select pg_terminate_backend(${fence.pid})`;
  });
  return added;
}

const requeuedThenSent = [
  { phase: 'ENVELOPE', outcome: 'QUEUED', began: false },
  { phase: 'SETTLED', outcome: 'SENT', began: true },
];

test('a mail whose fence fails is sent as soon as the database answers, and nobody is blamed', async () => {
  const added = await failFence(gateway);
  await gateway.sink.received(before + 1);
  await expect.poll(() => attemptsOf(gateway, added)).toEqual(requeuedThenSent);
  expect(await eventsOf(gateway, added)).toMatchObject([
    { type: 'MESSAGE_ADDED' },
    { type: 'DELIVERY_SENT' },
  ]);
  const metrics = await (await fetch(`${gateway.app.monitorUrl}/metrics`)).text();
  expect(metrics).not.toMatch(/mail_attempts\w*\{.*outcome="DEFERRED"/);
  expect(gateway.sink.mails).toHaveLength(before + 1);
});

test('a fence that was committed, and answered by an error, does not make the outcome unknown', async () => {
  const added = await failFence(
    gateway,
    (tx) => tx`update deliveries set phase = 'BODY' where phase = 'CONNECT'`,
  );
  await gateway.sink.received(before + 1);
  await expect.poll(() => attemptsOf(gateway, added)).toEqual(requeuedThenSent);
  expect(gateway.sink.mails).toHaveLength(before + 1);
});

test.runIf(soaking)('an outcome that another worker has called unknown meanwhile becomes known', async () => {
  const doubted = await failFence(gateway, async (tx) => {
    await tx`update delivery_recipients set state = 'OUTCOME_UNKNOWN' where state = 'PENDING'`;
    await tx`update deliveries set state = 'OUTCOME_UNKNOWN', attempt = null, phase = null, lease_until = null
      where state = 'TRANSMITTING'`;
  });
  await gateway.sink.received(before + 1);
  await expect.poll(() => attemptsOf(gateway, doubted)).toEqual(requeuedThenSent);
  expect((await eventsOf(gateway, doubted)).map(({ type }) => type)).toEqual([
    'MESSAGE_ADDED',
    'DELIVERY_DEFERRED',
    'DELIVERY_SENT',
  ]);
});

test('a lease that ran out at the fence is not taken for a fault of the mail server', async () => {
  const { sql, sink } = gateway;
  const ready = Promise.withResolvers<void>();
  sink.setFaults([{ at: 'DATA', until: ready.promise, times: 1 }]);
  const reached = sink.steps.length;
  const added = await mailTo(gateway, 5);
  await eventually(() => sink.steps.slice(reached).some(({ step }) => step === 'DATA'));
  await sql`update deliveries set lease_until = clock_timestamp() - interval '1 second'
    where state = 'TRANSMITTING'`;
  ready.resolve();
  await sink.received(before + 1);
  await expect.poll(() => attemptsOf(gateway, added)).toEqual(requeuedThenSent);
});
