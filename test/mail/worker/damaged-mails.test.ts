import type postgres from 'postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createLog } from '../../../src/platform/log.ts';
import { eventually } from '../../support/eventually.ts';
import { inState, until, viewDelivery } from '../world/desk.ts';
import { createWorld } from '../world/world.ts';

/* Rows that storage has damaged, or an administrator's SQL: what a mail is made of cannot be used. */

let world: Awaited<ReturnType<typeof createWorld>>;
let owner: postgres.Sql;
const lines: { level: number; deliveryId?: number; outcome?: string; msg: string }[] = [];

beforeAll(async () => {
  world = await createWorld();
  owner = world.asOwner();
  const log = createLog('warn', { write: (line: string) => lines.push(JSON.parse(line)) > 0 } as never);
  world.work({ log });
});
afterAll(() => world[Symbol.asyncDispose]());

/** Queues a mail of ticket 1 that is damaged in the same moment, and one of ticket 2. @returns the former */
async function damage(how: (tx: postgres.TransactionSql, id: number) => Promise<unknown>, mail = {}) {
  const id = await world.queue({ ...mail, ticketId: 1, state: 'HELD', dueAt: new Date(Date.now() + 9e6) });
  await owner.begin(async (tx) => {
    await tx`set local session_replication_role = replica`;
    await how(tx, id);
    await tx`update deliveries set due_at = now() where id = ${id}`;
  });
  await until(world.sql, await world.queue({ ticketId: 2 }), inState('SENT'));
  return id;
}

test.each<[string, RegExp, Parameters<typeof damage>[0], object?]>([
  [
    'its recipients are lost',
    /^The mail could not be read from the database; the log of the gateway says why/,
    (tx, id) => tx`delete from delivery_recipients where delivery_id = ${id}`,
  ],
  [
    'its message is lost',
    /^The mail could not be read from the database; the log of the gateway says why/,
    (tx, id) => tx`delete from messages where id = (select message_id from deliveries where id = ${id})`,
  ],
  [
    'a recipient has lost the @',
    /^The mail could not be composed: the address of recipient 1 is damaged/,
    (tx, id) => tx`update delivery_recipients set address = 'jane' where delivery_id = ${id}`,
  ],
  [
    'a hidden recipient has a line break',
    /^The mail could not be composed: the address of recipient 2 is damaged/,
    (
      tx,
      id,
    ) => tx`update delivery_recipients set address = ${'eve@domain.com>\r\nRCPT TO:<mallory@domain.com'}
      where delivery_id = ${id} and position = 2`,
    { bcc: ['eve@domain.com'] },
  ],
  [
    "the sender's domain is none",
    /^The mail could not be composed: the sender's address is damaged/,
    (tx, id) => tx`update deliveries set from_address = 'company@do main' where id = ${id}`,
  ],
  [
    'its Message-ID has a line break',
    /^The mail could not be composed; the log of the gateway says why/,
    (tx, id) => tx`update deliveries set rfc_message_id = ${'<a@b>\r\nBcc: eve@domain.com'} where id = ${id}`,
  ],
])('%s: the ledger says so, others are sent, and after days it fails for good', async (_, why, how, mail) => {
  const sent = world.sink.mails.length;
  const id = await damage(how, mail);
  const first = await until(world.sql, id, inState('DEFERRED'));
  expect(first).toMatchObject({ attempts: 1, phase: null, failure: expect.stringMatching(why) });
  expect(first.log).toMatchObject([{ number: 1, phase: 'CONNECT', outcome: 'DEFERRED', bodyAt: null }]);
  expect(first.log[0]!.reply).toMatch(why);
  for (const { state, reply } of first.recipients ?? [])
    expect({ state, reply }).toEqual({ state: 'DEFERRED', reply: expect.stringMatching(why) });
  expect(first.dueAt.getTime()).toBeGreaterThan(Date.now() + 10_000);
  expect(lines.filter(({ level, deliveryId }) => deliveryId === id && level === 50)).toHaveLength(1);

  await owner`update deliveries set due_at = now(), give_up_at = now() where id = ${id}`;
  const last = await until(world.sql, id, inState('FAILED'));
  expect(last).toMatchObject({ attempts: 2, failure: expect.stringMatching(/ \(given up after 5 days\)$/) });
  expect(last.events).toEqual(['DELIVERY_DEFERRED', 'DELIVERY_FAILED']);
  const failed = await eventually(() =>
    lines.find((line) => line.deliveryId === id && line.outcome === 'FAILED'),
  );
  expect(failed.level).toBe(40);
  // The mails of ticket 2 alone.
  expect(world.sink.mails.slice(sent)).toHaveLength(1);
  expect((await viewDelivery(world.sql, id)).attempts).toBe(2);
});
