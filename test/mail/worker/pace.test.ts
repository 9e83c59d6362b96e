import type postgres from 'postgres';
import { expect, test } from 'vitest';
import { claim } from '../../../src/mail/outbox/claim.ts';
import { lockCappedMailboxes } from '../../../src/mail/outbox/recipient-caps.ts';
import { shareDatabase } from '../../support/database.ts';
import { startSmtpSink } from '../../support/servers/smtp-sink.ts';
import { soaking } from '../../support/soak.ts';
import { inState, until, untilLookedAgain } from '../world/desk.ts';
import { createWorld } from '../world/world.ts';

const database = shareDatabase();

/** Ends what is under way, as if it had never been. */
const cancelWaiting = (sql: postgres.Sql) => sql`
  update deliveries set state = 'CANCELLED', attempt = null, phase = null, lease_until = null, settled_at =
  now()
  where state = 'TRANSMITTING'`;

test('a mailbox with a rate sends no faster', async () => {
  await using world = await createWorld(database());
  await world.sql`update mailboxes set rate_per_minute = 300`;
  for (let n = 0; n < 12; n += 1) await world.queue({ ticketId: 1 + (n % 5) });
  const began = Date.now();
  world.work({ pollSeconds: 3600 });
  world.work({ pollSeconds: 3600 });
  await world.sink.received(12);
  // 5 a second, after a second's worth and one at once.
  expect(world.sink.mails[11]!.receivedAt.getTime()).toBeGreaterThan(began + 1000);
});

test('mails that the last second’s rate left unused are sent at once, and no more', async () => {
  await using world = await createWorld(database());
  const began = Date.now();
  await world.sql`update mailboxes set rate_per_minute = 300, paced_until = ${new Date(began)}`;
  for (let n = 0; n < 15; n += 1) await world.queue({ ticketId: 1 + (n % 5) });
  const claimed: number[] = [];
  for (const ms of [1000, 1000, 1000, 1199, 1200, 1200, 2400, 2400]) {
    const options = { worker: 'w', now: new Date(began + ms), leaseSeconds: 10, slots: [], free: 20 };
    claimed.push((await claim(world.sql, options)).length);
    await cancelWaiting(world.sql);
  }
  // Tickets have one mail each under way, so that five are the most.
  expect(claimed).toEqual([5, 1, 0, 0, 1, 0, 5, 1]);
});

test('conditional mails of a mailbox that has to wait do not hold up another’s', async () => {
  await using world = await createWorld(database());
  const second = 99;
  await world.sql`insert into mailboxes (id, address, display_name) overriding system value
    values (${second}, 'second@domain.com', 'Second')`;
  await world.sql`update mailboxes set rate_per_minute = 1 where id <> ${second}`;
  for (let n = 0; n < 25; n += 1)
    await world.queue({ ticketId: 1 + (n % 4), cancelIf: ['REQUESTER_REPLIED'] });
  const other = await world.queue({
    ...{ mailboxId: second, ticketId: 5, cancelIf: ['REQUESTER_REPLIED'] },
    dueAt: new Date(1),
  });
  world.work();
  await until(world.sql, other, inState('SENT'));
});

test('one recipient gets no more an hour than the mailbox allows; others are not kept waiting', async () => {
  await using world = await createWorld(database());
  await world.sql`update mailboxes set rate_per_recipient_hour = 3`;
  const ids: number[] = [];
  for (let n = 0; n < 6; n += 1)
    ids.push(await world.queue({ ticketId: 1 + (n % 5), to: 'Jane.Doe@domain.com' }));
  const other = await world.queue({ to: 'other@domain.com', ticketId: 5 });
  let now = Date.now();
  const workers = Array.from({ length: soaking ? 3 : 2 }, () => world.work({ now: () => new Date(now) }));
  await until(world.sql, other, inState('SENT'));
  await untilLookedAgain(world.sql);
  expect(world.sink.mails.filter(({ to }) => to[0] === 'Jane.Doe@domain.com')).toHaveLength(3);
  now += 3_700_000;
  for (const worker of workers) worker.wake();
  await world.sink.received(8);
  for (const id of ids) await until(world.sql, id, inState('SENT'));
});

test('a claim counts what was sent up to then itself, and another worker waits for its turn', async () => {
  await using world = await createWorld(database());
  await world.sql`update mailboxes set rate_per_recipient_hour = 1`;
  // Jane has her copy, although another recipient's server asked to try again later.
  await using busy = await startSmtpSink({
    faults: [{ at: 'RCPT', address: 'busy@domain.com', reply: '450 4.2.1 busy' }],
  });
  const sent = await world.queue({ to: 'jane@domain.com', cc: ['busy@domain.com'], ticketId: 1 });
  const worker = world.work({ smtpUrl: busy.url });
  await until(world.sql, sent, inState('DEFERRED'));
  await worker[Symbol.asyncDispose]();
  // Joe’s server may have accepted his copy; the outcome is unknown.
  await using silent = await startSmtpSink({ faults: [{ at: 'REPLY', answer: 'drop' }] });
  const unknown = await world.queue({ to: 'joe@domain.com', ticketId: 2 });
  const asking = world.work({ smtpUrl: silent.url });
  await until(world.sql, unknown, inState('OUTCOME_UNKNOWN'));
  await asking[Symbol.asyncDispose]();
  await world.queue({ to: 'Jane@domain.com', ticketId: 2 });
  await world.queue({ to: 'joe@domain.com', ticketId: 5 });
  const [other, another] = [
    await world.queue({ to: 'other@domain.com', ticketId: 3 }),
    await world.queue({ to: 'another@domain.com', ticketId: 4 }),
  ];
  const claimAs = (name: string, meanwhile = async () => {}) =>
    world.sql.begin(async (transaction) => {
      const tx = transaction as unknown as typeof world.sql;
      const options = { worker: name, now: new Date(), leaseSeconds: 10, slots: [], free: 5 };
      // A worker that has not locked a mailbox with a cap gets none of its mails.
      expect(await claim(tx, options)).toEqual([]);
      const claims = await claim(tx, { ...options, lockedMailboxes: await lockCappedMailboxes(tx) });
      await meanwhile();
      return claims.map(({ id }) => id);
    });
  const first = claimAs('first', async () => {
    expect(await lockCappedMailboxes(world.sql)).toEqual([]);
    expect(await claimAs('second')).toEqual([]);
  });
  expect(await first).toEqual([other]);
  // One at a time is under way.
  expect(await claimAs('second')).toEqual([]);
  await cancelWaiting(world.sql);
  expect(await claimAs('second')).toEqual([another]);
});
