import type postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { explainRecipient } from '../../../src/mail/outbox/explain-failure.ts';
import type { Worker } from '../../../src/mail/worker/worker.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { close, type SmtpScript, startScriptedSmtp } from '../../support/servers/scripted-smtp.ts';
import { type DeliveryView, fillDesk, queueMail, startWorker, until } from '../world/desk.ts';

/** Servers that break the protocol: no mail is lost, sent twice, or taken for commands. */

let world: TestDatabase;
let sql: postgres.Sql;
let worker: Worker;
let mailboxes = 1;
const noBlobs = {
  open: () => {
    throw new Error('no mail here has a file');
  },
};
beforeAll(async () => {
  world = await createTestDatabase();
  sql = world.database.raw;
  await fillDesk(sql, { tickets: 50 });
  worker = startWorker({ sql, blobs: noBlobs, connections: 1 });
});
afterAll(async () => {
  await worker[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

const isOver = ({ log }: DeliveryView) => log.some(({ outcome }) => outcome !== null);

/** Sends one mail from a mailbox whose server keeps to a script. */
async function sendTo(script: SmtpScript, mails = [{}]) {
  await using server = await startScriptedSmtp(script);
  mailboxes += 1;
  const mailboxId = mailboxes;
  await sql`insert into mailboxes (id, address, display_name, smtp_url) overriding system value
    values (${mailboxId}, ${`box${mailboxId}@domain.com`}, 'Box', ${server.url})`;
  const views: DeliveryView[] = [];
  for (const mail of mails) {
    const id = await queueMail(sql, undefined, { ticketId: mailboxId, mailboxId, ...mail });
    views.push(await until(sql, id, isOver));
  }
  const { commands, mails: taken } = server;
  return { view: views.at(-1)!, views, commands, taken };
}

test('a server that answers DATA with 250 gets no mail, as it would obey each line', async () => {
  const { view, commands } = await sendTo({ DATA: '250 2.0.0 ok' }, [
    { body: 'RSET\r\nMAIL FROM:<a@b.test>' },
  ]);
  expect(view).toMatchObject({ state: 'DEFERRED', log: [{ phase: 'ENVELOPE', bodyAt: null }] });
  expect(commands.map((line) => line.split(' ')[0])).toEqual(['EHLO', 'MAIL', 'RCPT', 'DATA']);
});

describe('a server that answers out of step', () => {
  test.each([
    ['two replies to MAIL', { MAIL: '250 2.1.0 ok\r\n250 2.1.0 ok' }],
    ['two replies to RCPT', { RCPT: '250 2.1.5 ok\r\n250 2.1.5 ok' }],
    ['a refusal right after its 354', { DATA: '354 go on\r\n451 4.3.0 no' }],
  ])('%s: nothing of the mail is sent, and it is tried again', async (_, script) => {
    const { view, taken, commands } = await sendTo(script);
    expect(view).toMatchObject({ state: 'DEFERRED', recipients: [{ state: 'DEFERRED' }] });
    expect(taken).toEqual([]);
    expect(commands.at(-1)).toBe('DATA');
  });

  test('a second 354 instead of an outcome: the mail may have been taken and is not repeated', async () => {
    const { view, taken } = await sendTo({ DOT: '354 go on\r\n250 2.0.0 taken' });
    expect(taken).toHaveLength(1);
    expect(view).toMatchObject({ state: 'OUTCOME_UNKNOWN', events: ['DELIVERY_OUTCOME_UNKNOWN'] });
  });
});

test('a kept connection is closed right after 354: the mail is deferred, as nothing was sent', async () => {
  let mails = 0;
  const { views, taken } = await sendTo({ DATA: () => (++mails === 1 ? '354 go on' : `354 go on${close}`) }, [
    {},
    {},
  ]);
  expect(views.map(({ state }) => state)).toEqual(['SENT', 'DEFERRED']);
  expect(taken).toHaveLength(1);
});

const offersTls = '250-mail.test\r\n250 STARTTLS';
test.each<[string, SmtpScript, RegExp, RegExp]>([
  [
    'STARTTLS is refused',
    { EHLO: offersTls, STARTTLS: '454 4.7.0 TLS not available' },
    /^The mail server does not begin TLS after STARTTLS \(454 4\.7\.0 TLS not available\)$/,
    /does not begin TLS/,
  ],
  [
    'STARTTLS is followed by plain text',
    { EHLO: offersTls, STARTTLS: '220 go on' },
    /^The mail server does not begin TLS after STARTTLS$/,
    /does not begin TLS/,
  ],
  [
    'the greeting says 421',
    { GREETING: `421 4.3.2 too many connections${close}` },
    /^421 4\.3\.2 too many connections$/,
    /cannot accept the mail at the moment/,
  ],
  [
    'the answer to EHLO says 421',
    { EHLO: `421 4.3.2 shutting down${close}` },
    /^421 4\.3\.2 shutting down$/,
    /cannot accept the mail at the moment/,
  ],
  [
    'the greeting is that of another protocol',
    { GREETING: '* OK IMAP4 ready' },
    /^The mail server gave an unexpected answer \(\* OK IMAP4 ready\)$/,
    /did not answer as SMTP requires/,
  ],
])('%s: the reply is told as it is', async (_, script, reply, reason) => {
  const { view } = await sendTo(script);
  expect(view.state).toBe('DEFERRED');
  expect(view.failure).toMatch(reply);
  const { state, reply: smtpReply } = view.recipients[0]!;
  expect(explainRecipient({ state: state as never, smtpReply })?.reason).toMatch(reason);
});

describe('what a server said to one recipient stays, whatever it says to the mail', () => {
  const refused: SmtpScript = {
    RCPT: (_, line) =>
      /gone/.test(line) ? '550 5.1.1 gone' : /busy/.test(line) ? '450 4.2.1 busy' : '250 2.1.5 ok',
  };
  const mail = { cc: ['gone@domain.com', 'busy@domain.com'] };
  test.each<[string, SmtpScript, string, string]>([
    ['no answer to the mail', { DOT: close }, 'OUTCOME_UNKNOWN', 'OUTCOME_UNKNOWN'],
    ['a refusal of the mail for now', { DOT: '451 4.3.0 later' }, 'DEFERRED', 'DEFERRED'],
    ['a refusal of the mail for good', { DOT: '554 5.6.0 no' }, 'FAILED', 'DEFERRED'],
    ['a refusal of DATA', { DATA: '451 4.3.0 later' }, 'DEFERRED', 'DEFERRED'],
    ['the end of the connection after DATA', { DATA: close }, 'DEFERRED', 'DEFERRED'],
  ])('%s', async (_, script, state, all) => {
    const { view } = await sendTo({ ...refused, ...script }, [mail]);
    expect(view).toMatchObject({
      state: all,
      recipients: [{ state }, { state: 'FAILED', code: '5.1.1' }, { state: 'DEFERRED', code: '4.2.1' }],
    });
  });

  test('but after a refused sender, each recipient is refused for that alone', async () => {
    const { view } = await sendTo(
      {
        EHLO: '250-mail.test\r\n250 PIPELINING',
        ...{ MAIL: '451 4.3.0 later', RCPT: '503 5.5.1 sender first', DATA: close },
      },
      [mail],
    );
    expect(view.recipients.map(({ state }) => state)).toEqual(['DEFERRED', 'DEFERRED', 'DEFERRED']);
  });
});

test('a reply that is cut in the middle of a character is recorded like any other', async () => {
  const { view } = await sendTo({ DOT: `250 2.0.0 ${'x'.repeat(989)}😀` });
  expect(view).toMatchObject({
    state: 'SENT',
    recipients: [{ reply: `250 2.0.0 ${'x'.repeat(989)}\ufffd` }],
  });
});

test('a mail that cannot be composed is not explained by a server that cannot be reached', () => {
  const smtpReply = 'The mail could not be composed; the log of the gateway says why';
  expect(explainRecipient({ state: 'DEFERRED', smtpReply })?.reason).toMatch(/could not compose/);
});
