import { expect, test } from 'vitest';
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
