import { expect, test } from 'vitest';
import { createLog } from '../../../src/platform/log.ts';
import { startGateway } from '../../support/gateway.ts';
import { type Added, add } from '../../tickets/calls.ts';

test('a locked ticket delays only its own settlement, and every mail is sent once', async () => {
  await using parts = new AsyncDisposableStack();
  const web = parts.use(await startGateway({ env: { ROLES: 'web' } }));
  const mailTo = (ticketId: number) =>
    add(web, { ticket: { ticketId }, email: { from: 'company@domain.com' } });
  const [locked, free] = [await mailTo(5), await mailTo(6)];
  const stateOf = async ({ ticketMessage }: Added) => {
    const [row] = await web.sql`select state from deliveries where message_id = ${ticketMessage.messageId}`;
    return row!.state;
  };
  const becomesSent = (which: Added) => expect.poll(() => stateOf(which)).toBe('SENT');
  await web.sql.begin(async (tx) => {
    await tx`select from tickets where id = 5 for update`;
    const env = { ROLES: 'worker', SMTP_URL: web.sink.url };
    parts.use(await startGateway({ env, database: web.database }));
    await web.sink.received(2);
    await becomesSent(free);
    expect(await stateOf(locked)).toBe('TRANSMITTING');
  });
  await becomesSent(locked);
  expect(web.sink.mails).toHaveLength(2);
});

test('a delivery that is locked before its fence, or after it, delays only its own mail', async () => {
  const logged: string[] = [];
  const log = createLog('error', { write: (line: string) => logged.push(line) > 0 } as never);
  await using gateway = await startGateway({ env: { ROLES: 'web,worker' }, overrides: { log } });
  const { sql, sink } = gateway;
  const lastTwo = () => sql`select id, state from deliveries order by id desc limit 2`;
  const states = async () => (await lastTwo()).map(({ state }) => state);
  for (const at of ['DATA', 'DOT'] as const) {
    const ready = Promise.withResolvers<void>();
    sink.setFaults([{ at, until: ready.promise }]);
    const reached = sink.steps.length;
    for (const ticketId of [5, 6])
      await add(gateway, { ticket: { ticketId }, email: { from: 'company@domain.com' } });
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
  expect(sink.mails).toHaveLength(4);
});
