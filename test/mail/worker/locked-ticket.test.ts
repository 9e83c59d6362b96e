import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { createLog } from '../../../src/platform/log.ts';
import { type Gateway, startGateway } from '../../support/gateway.ts';
import { type Added, add } from '../../tickets/calls.ts';

const logged: string[] = [];
const log = createLog('error', { write: (line: string) => logged.push(line) > 0 } as never);
let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway({ env: { ROLES: 'web,worker' }, overrides: { log } });
});
afterEach(() => {
  gateway.sink.setFaults([]);
  logged.length = 0;
});
afterAll(() => gateway[Symbol.asyncDispose]());

const mailTo = (ticketId: number) =>
  add(gateway, { ticket: { ticketId }, email: { from: 'company@domain.com' } });

test('a locked ticket delays only its own settlement, and every mail is sent once', async () => {
  const { sql, sink } = gateway;
  const before = sink.mails.length;
  const ready = Promise.withResolvers<void>();
  sink.setFaults([{ at: 'DOT', until: ready.promise }]);
  const reached = sink.steps.length;
  const [locked, free] = [await mailTo(5), await mailTo(6)];
  const stateOf = async ({ ticketMessage }: Added) => {
    const [row] = await sql`select state from deliveries where message_id = ${ticketMessage.messageId}`;
    return row!.state;
  };
  const becomesSent = (which: Added) => expect.poll(() => stateOf(which)).toBe('SENT');
  await expect.poll(() => sink.steps.slice(reached).filter(({ step }) => step === 'DOT').length).toBe(2);
  await sql.begin(async (tx) => {
    await tx`select from tickets where id = 5 for update`;
    ready.resolve();
    await sink.received(before + 2);
    await becomesSent(free);
    expect(await stateOf(locked)).toBe('TRANSMITTING');
  });
  await becomesSent(locked);
  expect(sink.mails).toHaveLength(before + 2);
});

test('a delivery that is locked before its fence, or after it, delays only its own mail', async () => {
  const { sql, sink } = gateway;
  const before = sink.mails.length;
  const lastTwo = () => sql`select id, state from deliveries order by id desc limit 2`;
  const states = async () => (await lastTwo()).map(({ state }) => state);
  for (const at of ['DATA', 'DOT'] as const) {
    const ready = Promise.withResolvers<void>();
    sink.setFaults([{ at, until: ready.promise }]);
    const reached = sink.steps.length;
    for (const ticketId of [5, 6]) await mailTo(ticketId);
    const waiting = () => sink.steps.slice(reached).filter(({ step }) => step === at).length;
    await expect.poll(waiting).toBe(2);
    await sql.begin(async (tx) => {
      const [last] = await lastTwo();
      await tx`select from deliveries where id = ${last!.id} for update`;
      ready.resolve();
      await expect.poll(states).toEqual(['TRANSMITTING', 'SENT']);
    });
    await expect.poll(states).toEqual(['SENT', 'SENT']);
  }
  // Nothing ran into its time limit for locks, and no mail was begun a second time.
  expect(logged).toEqual([]);
  expect(sink.mails).toHaveLength(before + 4);
});
