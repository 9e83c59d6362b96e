import { afterAll, beforeAll, expect, test } from 'vitest';
import { createBatchedTicketRead } from '../../src/tickets/events/batched-ticket-reads.ts';
import { operator } from '../mail/world/world.ts';
import { openStream } from '../support/event-stream.ts';
import { asOperator, type Gateway, startGateway } from '../support/gateway.ts';
import { add, ask } from '../tickets/calls.ts';
import { damageRow } from './damage-row.ts';

/* Storage may lose a part of a row. What is beside it is shown. */

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway({ env: { ROLES: 'web' } });
});
afterAll(() => gateway[Symbol.asyncDispose]());

const headers = { authorization: asOperator };
const say = async (ticketId: number, body: string) =>
  (await add(gateway, { ticket: { ticketId }, body })).ticketMessage.messageId;
const cursorOf = async (ticketId: number) =>
  (
    await ask<{ cursor: string }>(
      gateway,
      `{ ticket(by: { ticketId: ${ticketId} }) { cursor } }`,
      {},
      headers,
    )
  ).cursor;

test('a watcher gets the events around a damaged message whole, and its own with a typed error', async () => {
  const after = await cursorOf(5);
  const ids = [await say(5, 'one'), await say(5, 'two'), await say(5, 'three')];
  await damageRow(gateway.sql, 'messages', ids[1]!);
  const query = `subscription ($after: String) { ticketEvents(ticket: { ticketId: 5 }, after: $after) {
    cursor type ticketMessage { bodyText } } }`;
  const stream = await openStream(gateway.url, { query, variables: { after } }, headers);
  const [one, two, three] = [await stream.next(), await stream.next(), await stream.next()];
  const shown = (bodyText: string) => ({
    data: {
      ticketEvents: { cursor: expect.any(String), type: 'MESSAGE_ADDED', ticketMessage: { bodyText } },
    },
  });
  expect([one?.data, three?.data]).toEqual([shown('one'), shown('three')]);
  expect(two?.data).toMatchObject({
    data: { ticketEvents: { cursor: expect.any(String), type: 'MESSAGE_ADDED', ticketMessage: null } },
    errors: [{ path: ['ticketEvents', 'ticketMessage'], extensions: { code: 'INTERNAL' } }],
  });
  expect(two?.id).not.toBe(one?.id);
  stream.leave();
  // Who comes back with its cursor is not held up by it.
  const again = await openStream(
    gateway.url,
    { query, variables: { after } },
    { ...headers, 'last-event-id': two!.id! },
  );
  expect((await again.next())?.data).toEqual(shown('three'));
  again.leave();
});

test('an event with a time that no text can show does not hold up its page or its watchers', async () => {
  const after = await cursorOf(6);
  await say(6, 'one');
  await gateway.sql`update events set created_at = 'infinity' where ticket_id = 6
    and number = (select last_event_number from tickets where id = 6)`;
  await say(6, 'two');
  const fields = '{ at ticketMessage { bodyText } }';
  const list = `query ($after: String) {
    ticketEvents(ticket: { ticketId: 6 }, after: $after) ${fields} }`;
  const expected = [
    { at: '9999-12-31T23:59:59.999Z', ticketMessage: { bodyText: 'one' } },
    { at: expect.any(String), ticketMessage: { bodyText: 'two' } },
  ];
  expect(await ask(gateway, list, { after }, headers)).toEqual(expected);
  const query = `subscription ($after: String) {
    ticketEvents(ticket: { ticketId: 6 }, after: $after) ${fields} }`;
  const stream = await openStream(gateway.url, { query, variables: { after } }, headers);
  for (const ticketEvents of expected)
    expect((await stream.next())?.data).toEqual({ data: { ticketEvents } });
  stream.leave();
});

test('tickets that are read together with a damaged one are read without it', async () => {
  await say(8, 'one');
  await damageRow(gateway.sql, 'tickets', 7);
  const read = createBatchedTicketRead({ database: gateway.database.database });
  const audience = { byOperators: true, viewer: operator };
  const [damaged, whole] = await Promise.allSettled(
    [7, 8].map((ticketId) => read(audience, { ticketId, number: 0, through: 0 })),
  );
  expect(damaged!.status).toBe('rejected');
  expect(whole).toMatchObject({ status: 'fulfilled', value: { more: false } });
});
