import { afterAll, beforeAll, expect, test } from 'vitest';
import { mailChecks } from '../../src/cli/commands/doctor/mail.ts';
import { readConfig } from '../../src/config.ts';
import { createTestDatabase } from '../support/database.ts';
import { startSmtpSink } from '../support/servers/smtp-sink.ts';

let world: Awaited<ReturnType<typeof createTestDatabase>>;
beforeAll(async () => {
  world = await createTestDatabase();
});
afterAll(() => world[Symbol.asyncDispose]());

const addMailbox = (address: string, smtpUrl: string | null) => world.database.raw`
  insert into mailboxes (address, display_name, smtp_url) values (${address}, 'Desk', ${smtpUrl})`;

async function checks(env: Record<string, string> = {}) {
  const config = readConfig({ DATABASE_URL: 'postgres://db/desk', ...env });
  const found: Record<string, unknown> = {};
  for await (const { name, run } of mailChecks(config, world.connection))
    if (name !== 'outbox') found[name] = await run().catch((error: Error) => error.message);
  return found;
}

test('doctor fails for mailboxes without a server, as a start or a mail would', async () => {
  await using sink = await startSmtpSink();
  const required = 'is required as long as no mailbox has SMTP settings of its own';
  expect(await checks()).toEqual({
    SMTP_URL: { result: 'failed', detail: required },
    mailboxes: { result: 'warning', detail: 'there is none to send from' },
  });
  await addMailbox('company@domain.com', null);
  const without = 'company@domain.com: The mailbox has no SMTP settings';
  expect(await checks()).toEqual({
    SMTP_URL: { result: 'failed', detail: required },
    mailboxes: { result: 'failed', detail: without },
  });
  expect(await checks({ SMTP_URL: sink.url })).toEqual({
    SMTP_URL: expect.stringMatching(/ answers$/),
    mailboxes: { result: 'off', detail: 'all use SMTP_URL' },
  });
  expect(await checks({ SMTP_URL: sink.url.replace('smtp:', 'smtps:') })).toMatchObject({
    SMTP_URL: 'The mail server does not begin with TLS on this port, as smtps:// does: use smtp://',
  });
  await addMailbox('own@domain.com', sink.url);
  expect(await checks()).toMatchObject({
    SMTP_URL: { result: 'off' },
    mailboxes: { result: 'failed', detail: without },
  });
  expect(await checks({ SMTP_URL: 'inbox:' })).toMatchObject({
    SMTP_URL: { result: 'warning' },
    mailboxes: '1 server answers',
  });
});
