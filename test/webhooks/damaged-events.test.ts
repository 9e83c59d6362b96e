import { expect, test } from 'vitest';
import { createLog } from '../../src/platform/log.ts';
import { addWebhook } from '../../src/webhooks/administration.ts';
import { damageRow } from '../events/damage-row.ts';
import { createTestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { startGateway } from '../support/gateway.ts';
import { add } from '../tickets/calls.ts';
import { startReceiver } from './receiver.ts';

async function startWorld() {
  await using parts = new AsyncDisposableStack();
  const database = parts.use(await createTestDatabase('demo'));
  const receiver = parts.use(await startReceiver());
  const one = { url: receiver.url, types: null, includesPrivate: false };
  await database.database.desk.transaction((tx) => addWebhook(tx, one));
  const lines: { msg: string; eventId?: string; ticketId?: number }[] = [];
  const log = createLog('error', { write: (line: string) => lines.push(JSON.parse(line)) > 0 } as never);
  const env = { WEBHOOK_PRIVATE_ADDRESSES: '1' };
  const gateway = parts.use(await startGateway({ database, env, overrides: { log } }));
  const held = parts.move();
  return { gateway, receiver, lines, [Symbol.asyncDispose]: () => held.disposeAsync() };
}

test('an event that cannot be read for long is skipped with a trace; the next ones are sent', async () => {
  await using world = await startWorld();
  const { gateway, receiver, lines } = world;
  const { sql } = gateway;
  const say = async (ticketId: number) =>
    (await add(gateway, { ticket: { ticketId } })).ticketMessage.messageId;
  await sql`update webhooks set due_at = now() + interval '1 hour'`;
  const told = [await say(5)];
  await say(6);
  told.push(await say(5));
  // The ticket's row can be read with its events, but not by itself.
  await damageRow(sql, 'tickets', 6, 'DESK');
  const hurry = async () => {
    await sql`update webhooks set due_at = now()`;
    await sql`select pg_notify('ticketwire_webhooks', '')`;
  };
  await hurry();
  const row = async () => (await sql`select * from webhooks`)[0]!;
  for (let failures = 1; failures < 8; failures += 1) {
    await eventually(async () => (await row()).failures === failures);
    expect(await row()).toMatchObject({
      ...{ delivered: '1', last_error: expect.stringMatching(/^evt_\S{32} cannot be read$/) },
    });
    await hurry();
  }
  const sent = await receiver.has(2);
  expect(sent.map(({ body }) => JSON.parse(body).data.ticketMessage.messageId)).toEqual(told);
  const [audited] =
    await sql`select ticket_id, details from audit_entries where action = 'WEBHOOK_EVENT_SKIPPED'`;
  const eventId = expect.stringMatching(/^evt_\S{32}$/);
  expect(audited).toEqual({ ticket_id: 6, details: { by: 'worker', webhookId: 1, eventId } });
  const skipped = lines.filter(({ msg }) => msg.startsWith('a webhook skips an event'));
  expect(skipped).toMatchObject([{ ticketId: 6, eventId: audited!.details.eventId }]);
  await expect
    .poll(row)
    .toMatchObject({ failures: 0, failing_since: null, delivered: '2', last_error: null });
});

test('an event that waits for a grant is not skipped', async () => {
  await using world = await startWorld();
  const { gateway, receiver, lines } = world;
  const { sql } = gateway;
  const say = async () => (await add(gateway, { ticket: { ticketId: 5 } })).ticketMessage.messageId;
  await sql`update webhooks set due_at = now() + interval '1 hour'`;
  const told = [await say()];
  await sql`revoke select on tickets from ticketwire_app`;
  await sql`update webhooks set due_at = now()`;
  await sql`select pg_notify('ticketwire_webhooks', '')`;
  await eventually(() => lines.some(({ msg }) => msg.startsWith('a webhook waits')));
  expect((await sql`select failures, delivered, last_error from webhooks`)[0]).toEqual({
    ...{ failures: 0, delivered: '0', last_error: null },
  });
  expect(lines.map(({ eventId }) => eventId)).toEqual(lines.map(() => undefined));
  await sql`grant select on tickets to ticketwire_app`;
  told.push(await say());
  const sent = await receiver.has(2);
  expect(sent.map(({ body }) => JSON.parse(body).data.ticketMessage.messageId)).toEqual(told);
});

test('an event with a time that no text can show is sent like any other', async () => {
  await using world = await startWorld();
  const { gateway, receiver } = world;
  receiver.respond = (res, _one, nth) => void res.writeHead(nth === 1 ? 500 : 204).end();
  await add(gateway, { ticket: { ticketId: 5 } });
  await receiver.has(1);
  await gateway.sql`update events set created_at = 'infinity' where ticket_id = 5`;
  // Another worker reads the event again.
  await gateway.sql`update webhooks set lease_token = null, failures = 0, due_at = now()`;
  await gateway.sql`select pg_notify('ticketwire_webhooks', '')`;
  const sent = await receiver.has(2);
  expect(JSON.parse(sent[1]!.body).timestamp).toBe('9999-12-31T23:59:59.999Z');
});

test('an event whose type only a later version knows is sent under its own name', async () => {
  await using world = await startWorld();
  const { gateway, receiver } = world;
  await gateway.sql.unsafe(`
    alter table events drop constraint events_type_check;
    create function as_later_version() returns trigger language plpgsql as $$ begin
      new.type := 'TICKET_MERGED';
      return new;
    end $$;
    create trigger as_later_version before insert on events for each row
      execute function as_later_version()`);
  await add(gateway, { ticket: { ticketId: 5 } });
  const [sent] = await receiver.has(1);
  expect(JSON.parse(sent!.body).type).toBe('TICKET_MERGED');
});
