import { text } from 'node:stream/consumers';
import type postgres from 'postgres';
import { describe, expect, test } from 'vitest';
import { explainRecipient } from '../../../src/mail/outbox/explain-failure.ts';
import { recoverExpired, releaseClaims } from '../../../src/mail/outbox/leases.ts';
import { openPassword, sealPassword } from '../../../src/mail/smtp/seal-password.ts';
import type { Scope, Viewer } from '../../../src/platform/request-context.ts';
import { cancelDelivery, resolveDelivery, retryDelivery } from '../../../src/tickets/deliveries/commands.ts';
import { listDeliveries } from '../../../src/tickets/deliveries/list-deliveries.ts';
import { openRawMail } from '../../../src/tickets/deliveries/raw-mail.ts';
import { shareDatabase } from '../../support/database.ts';
import { startSmtpSink } from '../../support/servers/smtp-sink.ts';
import { sampled } from '../../support/soak.ts';
import { inState, onlooker, until, untilLookedAgain, viewDelivery } from '../world/desk.ts';
import { createWorld, operator, requester } from '../world/world.ts';

const database = shareDatabase();
const openWorld = () => createWorld(database());

test('retry mails only failed recipients: same bytes, same Message-ID, an audit entry', async () => {
  await using world = await openWorld();
  const { sink, sql, ctx } = world;
  sink.setFaults([{ at: 'RCPT', address: 'gone@domain.com', reply: '550 5.1.1 gone', times: 1 }]);
  const id = await world.queue({ cc: ['gone@domain.com'] });
  world.work();
  await until(sql, id, inState('PARTIALLY_FAILED'));
  expect(
    (await listDeliveries(ctx, { hasFailedRecipient: true }, {})).edges.map(({ node }) => node.id),
  ).toEqual([id]);
  const retried = await retryDelivery(ctx, { deliveryId: id });
  expect(retried.state === 'QUEUED' || retried.state === 'TRANSMITTING' || retried.state === 'SENT').toBe(
    true,
  );
  const view = await until(sql, id, inState('SENT'));
  expect(sink.mails.map(({ to }) => to)).toEqual([['jane.doe@domain.com'], ['gone@domain.com']]);
  expect(sink.mails[1]!.source.equals(sink.mails[0]!.source)).toBe(true);
  expect(view.events).toEqual(['DELIVERY_PARTIALLY_FAILED', 'DELIVERY_RETRIED', 'DELIVERY_SENT']);
  expect([...(await world.audit())]).toEqual([
    { actor_id: 1, action: 'DELIVERY_RETRIED', delivery_id: id, details: { from: 'PARTIALLY_FAILED' } },
  ]);
  expect((await listDeliveries(ctx, { hasFailedRecipient: true }, {})).edges).toEqual([]);
});

test('a deferred mail is sent at once when an operator says so', async () => {
  await using world = await openWorld();
  world.sink.setFaults([{ at: 'MAIL', reply: '451 4.3.0 later', times: 1 }]);
  const id = await world.queue();
  world.work();
  await until(world.sql, id, inState('DEFERRED'));
  await retryDelivery(world.ctx, { deliveryId: id });
  await until(world.sql, id, inState('SENT'));
});

test('cancelled while held: no mail, the message stays; what is gone cannot be cancelled', async () => {
  await using world = await openWorld();
  const { sql, ctx } = world;
  const held = await world.queue({ state: 'HELD', dueAt: new Date(Date.now() + 3_600_000) });
  const sent = await world.queue({ ticketId: 2 });
  world.work();
  await until(sql, sent, inState('SENT'));
  expect(await cancelDelivery(ctx, { deliveryId: held })).toMatchObject({
    state: 'CANCELLED',
    recipients: [{ state: 'CANCELLED' }],
  });
  for (const deliveryId of [held, sent])
    await expect(cancelDelivery(ctx, { deliveryId })).rejects.toMatchObject({ code: 'DELIVERY_STATE' });
  expect((await sql`select from messages`).length).toBe(2);
  expect(world.sink.mails).toHaveLength(1);
});

test('a held mail goes when its time has come', async () => {
  await using world = await openWorld();
  const dueAt = new Date(Date.now() + 700);
  const id = await world.queue({ state: 'HELD', dueAt });
  // It polls so seldom that it must have known when to look.
  world.work({ pollSeconds: 3600 });
  await until(world.sql, id, inState('SENT'));
  expect(world.sink.mails[0]!.receivedAt.getTime()).toBeGreaterThanOrEqual(dueAt.getTime());
});

describe('an unknown outcome', () => {
  async function unknown() {
    const world = await openWorld();
    world.sink.setFaults([{ at: 'REPLY', answer: 'drop', times: 1 }]);
    const id = await world.queue({ cc: ['second@domain.com'] });
    world.work();
    await until(world.sql, id, inState('OUTCOME_UNKNOWN'));
    return { world, id };
  }
  test('assumed to be sent: no second copy', async () => {
    const { world, id } = await unknown();
    await using _ = world;
    expect(await resolveDelivery(world.ctx, { deliveryId: id, as: 'ASSUME_SENT' })).toMatchObject({
      state: 'SENT',
      recipients: [{ state: 'SENT' }, { state: 'SENT' }],
    });
    await untilLookedAgain(world.sql);
    expect(world.sink.mails.filter(({ to }) => to[0] !== onlooker)).toHaveLength(1);
    expect([...(await world.audit())]).toMatchObject([
      { action: 'DELIVERY_RESOLVED', details: { from: 'OUTCOME_UNKNOWN', as: 'ASSUME_SENT' } },
    ]);
  });
  test('sent again: two copies with one Message-ID', async () => {
    const { world, id } = await unknown();
    await using _ = world;
    await resolveDelivery(world.ctx, { deliveryId: id, as: 'RESEND' });
    await until(world.sql, id, inState('SENT'));
    const ids = world.sink.mails.map(({ source }) => /^Message-ID: (.*)\r$/m.exec(source.toString())![1]);
    expect(ids).toHaveLength(2);
    expect(ids[1]).toBe(ids[0]);
  });
  test('of ten operators at once one resolves it, the others are told so', async () => {
    const { world, id } = await unknown();
    await using _ = world;
    const results = await Promise.allSettled(
      Array.from({ length: 10 }, () => resolveDelivery(world.ctx, { deliveryId: id, as: 'RESEND' })),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    await until(world.sql, id, inState('SENT'));
    expect(world.sink.mails).toHaveLength(2);
  });
});

describe('cancelIf is looked at when the mail would go', () => {
  const cases = [
    [2, 'PUBLIC', ['REQUESTER_REPLIED'], 'CANCELLED'],
    [1, 'PUBLIC', ['OPERATOR_REPLIED'], 'CANCELLED'],
    [1, 'PRIVATE', ['OPERATOR_REPLIED'], 'SENT'],
    [2, 'PUBLIC', ['REQUESTER_REPLIED', 'OPERATOR_REPLIED'], 'CANCELLED'],
    [1, 'PUBLIC', ['REQUESTER_REPLIED'], 'SENT'],
  ] as const;
  test.each(sampled(cases, 2))(
    'user %i writes %s, mail void if %j: %s',
    async (author, visibility, cancelIf, expected) => {
      await using world = await openWorld();
      const id = await world.queue({
        state: 'HELD',
        dueAt: new Date(Date.now() + 300),
        cancelIf: [...cancelIf],
      });
      await world.sql`insert into messages (ticket_id, author_id, body, format, visibility, is_mobile_device)
      values (1, ${author}, 'reply', 'TEXT', ${visibility}, false)`;
      world.work();
      const view = await until(world.sql, id, inState('SENT', 'CANCELLED'));
      expect(view).toMatchObject({ state: expected, events: [`DELIVERY_${expected}`] });
      expect(world.sink.mails).toHaveLength(expected === 'SENT' ? 1 : 0);
    },
  );

  test('a reply that is being committed is waited for, and counts', async () => {
    await using world = await openWorld();
    const id = await world.queue({ state: 'HELD', cancelIf: ['REQUESTER_REPLIED'] });
    let began!: () => void;
    const holding = new Promise<void>((resolve) => {
      began = resolve;
    });
    const reply = world.database.desk.transaction(async (tx) => {
      await tx.execute('select from tickets where id = 1 for no key update');
      began();
      await tx.execute(`insert into messages (ticket_id, author_id, body, format, visibility,
        is_mobile_device)
        values (1, 2, 'reply', 'TEXT', 'PUBLIC', false)`);
      // The worker has looked, and has left this one to its next look: a mail of the same kind beside it is
      // through.
      const beside = { ticketId: 2, to: onlooker, cancelIf: ['REQUESTER_REPLIED'] };
      await until(world.sql, await world.queue(beside), inState('SENT'));
    });
    await holding;
    world.work();
    await reply;
    expect((await until(world.sql, id, inState('SENT', 'CANCELLED'))).state).toBe('CANCELLED');
    expect(world.sink.mails.map(({ to }) => to)).toEqual([[onlooker]]);
  });
});

const redactions = {
  'the message': 'update messages set body = $$$$, redacted_at = now()',
  'a file of the message': 'update attachments set blob_key = null, redacted_at = now()',
};
for (const [what, redact] of Object.entries(redactions))
  test(`a mail is not sent any more when ${what} was redacted, and says that it was this`, async () => {
    await using world = await openWorld();
    const files = [{ fileName: 'a', contentType: 'a/b', bytes: Buffer.from('a') }];
    const id = await world.queue({ state: 'HELD', dueAt: new Date(Date.now() + 200), files });
    await world.sql.unsafe(redact);
    world.work();
    const failure = `Not sent: ${what} was redacted`;
    expect(await until(world.sql, id, inState('CANCELLED', 'SENT'))).toMatchObject({
      ...{ state: 'CANCELLED', failure },
      log: [{ reply: failure }],
    });
  });

test('the exact source is kept, without blind copies, and streams with its attachments', async () => {
  await using world = await openWorld();
  const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, n) => n % 256));
  const files = [{ fileName: 'a', contentType: 'a/b', bytes }];
  const id = await world.queue({ bcc: ['hidden@domain.com'], files });
  await expect(openRawMail(world.ctx, { deliveryId: id })).rejects.toMatchObject({
    code: 'DELIVERY_NOT_FOUND',
  });
  world.work();
  await until(world.sql, id, inState('SENT'));
  const source = await openRawMail(world.ctx, { deliveryId: id });
  const kept = await text(source.stream);
  expect(kept).toBe(world.sink.mails[0]!.source.toString());
  expect(kept.length).toBe(source.byteSize);
  expect(kept).not.toMatch(/hidden/);
});

test('who may not, learns nothing', async () => {
  await using world = await openWorld();
  const id = await world.queue();
  const reader: Viewer = { ...operator, scopes: new Set<Scope>(['read']) };
  for (const deliveryId of [id, 999]) {
    for (const command of [retryDelivery, cancelDelivery]) {
      await expect(command(world.as(undefined), { deliveryId })).rejects.toMatchObject({
        code: 'UNAUTHENTICATED',
      });
      await expect(command(world.as(requester), { deliveryId })).rejects.toMatchObject({ code: 'FORBIDDEN' });
      await expect(command(world.as(reader), { deliveryId })).rejects.toMatchObject({ code: 'FORBIDDEN' });
    }
    await expect(openRawMail(world.as(requester), { deliveryId })).rejects.toMatchObject({
      code: 'FORBIDDEN',
    });
  }
  await expect(listDeliveries(world.as(requester), {}, {})).rejects.toMatchObject({ code: 'FORBIDDEN' });
  await expect(retryDelivery(world.ctx, { deliveryId: 999 })).rejects.toMatchObject({
    code: 'DELIVERY_NOT_FOUND',
  });
  expect((await viewDelivery(world.sql, id)).state).toBe('QUEUED');
  expect(await world.audit()).toHaveLength(0);
});

test('an announced SIZE is remembered, and a larger mail is rejected before it is sent', async () => {
  await using world = await openWorld();
  await using small = await startSmtpSink({ maxBytes: 50_000 });
  const files = [{ fileName: 'a', contentType: 'a/b', bytes: Buffer.alloc(60_000) }];
  const id = await world.queue({ files });
  world.work({ smtpUrl: small.url });
  const view = await until(world.sql, id, inState('FAILED'));
  expect(view.recipients).toMatchObject([{ state: 'FAILED', code: '5.3.4' }]);
  expect(explainRecipient({ state: 'FAILED', smtpReply: view.recipients[0]!.reply })).toMatchObject({
    suggestedAction: 'REDUCE_SIZE',
  });
  const [mailbox] = await world.sql`select server_max_mail_bytes as n from mailboxes`;
  expect(mailbox!.n).toBe(50_000);
});

test('a mailbox has its own server, signs in with its sealed password, and TLS is verified', async () => {
  await using world = await openWorld();
  const key = Buffer.alloc(32, 7);
  await using sink = await startSmtpSink({ auth: { user: 'desk', pass: 'pass & word' } });
  const sealed = sealPassword('pass & word', 'company@domain.com', key);
  expect(openPassword(sealed, 'company@domain.com', key)).toBe('pass & word');
  expect(() => openPassword(sealed, 'other@domain.com', key)).toThrow();
  expect(() => openPassword(sealed, 'company@domain.com', Buffer.alloc(32, 8))).toThrow();
  const smtpUrl = `smtp://desk@127.0.0.1:${sink.port}`;
  await world.sql`update mailboxes set smtp_url = ${smtpUrl}, smtp_password = ${sealed}`;
  const id = await world.queue();
  world.work({ mailboxKey: key });
  await until(world.sql, id, inState('SENT'));
  expect(sink.mails).toMatchObject([{ user: 'desk' }]);

  await using strange = await startSmtpSink({ tls: 'starttls' });
  await world.sql`update mailboxes set smtp_url = ${strange.url}, smtp_password = null`;
  const second = await world.queue({ ticketId: 2 });
  const view = await until(world.sql, second, inState('DEFERRED', 'SENT'));
  expect(view).toMatchObject({ state: 'DEFERRED', log: [{ phase: 'CONNECT' }] });
  expect(explainRecipient({ state: 'DEFERRED', smtpReply: view.failure })).toMatchObject({
    suggestedAction: 'CHECK_MAILBOX',
  });
  expect(JSON.stringify(view)).not.toContain('pass & word');
});

const unreadable: [url: string, sealed: boolean][] = [
  ['smtp://nowhere:port', false],
  ['smtp://nowhere:port', true],
  ['smtp://de%sk@127.0.0.1', true],
];
test.each(sampled(unreadable, 2))(
  'a mail of a mailbox whose server is %s waits, and says so; a sealed password: %s',
  async (url, sealed) => {
    await using world = await openWorld();
    const key = Buffer.alloc(32, 7);
    const password = sealed ? sealPassword('pass & word', 'company@domain.com', key) : null;
    await world.sql`update mailboxes set smtp_url = ${url}, smtp_password = ${password}`;
    const id = await world.queue();
    world.work({ mailboxKey: key });
    const { failure } = await until(world.sql, id, inState('DEFERRED', 'FAILED'));
    expect(failure).toBe("The mailbox's SMTP URL cannot be read");
    expect(explainRecipient({ state: 'DEFERRED', smtpReply: failure })).toMatchObject({
      reason: 'The mailbox cannot send.',
      suggestedAction: 'CHECK_MAILBOX',
    });
  },
);

test.each([
  ['550 5.1.1 <x@y>: user unknown', 'CHECK_ADDRESS'],
  ['552 5.2.2 mailbox full', 'CONTACT_RECIPIENT_OTHERWISE'],
  ['552 5.3.4 too big', 'REDUCE_SIZE'],
  ['550 5.7.26 unauthenticated, DMARC', 'ASK_MAIL_ADMINISTRATOR'],
  ['554 blocked by policy', 'ASK_MAIL_ADMINISTRATOR'],
  ['451 4.7.1 greylisted', 'WAIT'],
  ['550 no', 'CHECK_ADDRESS'],
  ['550 5.2.0 no', 'CHECK_ADDRESS'],
  ['550-5.4.5 Daily user sending limit exceeded', 'ASK_MAIL_ADMINISTRATOR'],
  ['550 5.6.0 content', 'ASK_MAIL_ADMINISTRATOR'],
  ['530 5.7.0 Must issue a STARTTLS command first', 'CHECK_MAILBOX'],
  ['530 5.7.57 Client not authenticated to send mail', 'CHECK_MAILBOX'],
  ['421 busy', 'WAIT'],
  ["The mail server does not accept the mailbox's login (535 no)", 'CHECK_MAILBOX'],
])('%s suggests %s', (reply, suggestedAction) => {
  const state = reply.startsWith('5') ? 'FAILED' : 'DEFERRED';
  expect(explainRecipient({ state, smtpReply: reply })).toMatchObject({
    suggestedAction,
  });
});

const token = '00000000-0000-4000-8000-000000000001';
/** What a claim leaves: an attempt that has not reached its fence. */
async function claimed(sql: postgres.Sql, id: number, lease: string): Promise<void> {
  await sql`update deliveries set state = 'TRANSMITTING', phase = 'CONNECT', attempt = ${token},
    attempts = attempts + 1, lease_until = clock_timestamp() + ${lease}::interval where id = ${id}`;
  await sql`insert into delivery_attempts (delivery_id, number, token, worker, started_at)
    select id, attempts, attempt, 'another worker', clock_timestamp() from deliveries where id = ${id}`;
}

const ends = {
  'its worker stops': (sql: postgres.Sql, id: number) => releaseClaims(sql, [{ id, token }]),
  'its worker dies': (sql: postgres.Sql) =>
    recoverExpired(sql, new Date(), (_, error) => {
      throw error;
    }),
};
for (const [name, end] of Object.entries(ends))
  test(`a mail that was deferred is deferred again when ${name}, as its watchers were told`, async () => {
    await using world = await openWorld();
    const { sql } = world;
    const states = { DEFERRED: 'DEFERRED', PENDING: 'QUEUED' };
    for (const [recipient, state] of Object.entries(states)) {
      const id = await world.queue();
      await sql`update delivery_recipients set state = ${recipient} where delivery_id = ${id}`;
      await claimed(sql, id, '-1 second');
      await end(sql, id);
      expect(await viewDelivery(sql, id)).toMatchObject({ state, events: [], log: [{ outcome: 'QUEUED' }] });
    }
  });

test('after the clock was set back by a day, nothing waits for the old time but what is held', async () => {
  await using world = await openWorld();
  const { sql } = world;
  const tomorrow = new Date(Date.now() + 86_400_000);
  const deferred = await world.queue({ state: 'DEFERRED', dueAt: tomorrow, giveUpAt: tomorrow });
  const queued = await world.queue({ ticketId: 2, dueAt: tomorrow });
  const underWay = await world.queue({ ticketId: 3 });
  await claimed(sql, underWay, '1 day');
  const held = await world.queue({ ticketId: 4, state: 'HELD', dueAt: tomorrow });
  await sql`update mailboxes set rate_per_minute = 6000, paced_until = ${tomorrow}`;
  world.work({ leaseSeconds: 1 });
  for (const id of [deferred, queued, underWay]) await until(sql, id, inState('SENT'));
  expect(await viewDelivery(sql, held)).toMatchObject({ state: 'HELD', dueAt: tomorrow });
  expect(world.sink.mails).toHaveLength(3);
});
