import { afterAll, beforeAll, expect, test } from 'vitest';
import { openStream } from '../support/event-stream.ts';
import { eventually } from '../support/eventually.ts';
import { asOperator, type Gateway, startGateway } from '../support/gateway.ts';
import { add, ask } from '../tickets/calls.ts';

/* Rows may be from a later version: during an upgrade, and after it was rolled back. */

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway({ env: { ROLES: 'web' } });
  // As the migrations of a later version do.
  await gateway.sql`alter table events drop constraint events_type_check`;
  await gateway.sql`alter table tickets drop constraint tickets_status_check`;
});
afterAll(() => gateway[Symbol.asyncDispose]());

const headers = { authorization: asOperator };

/** Two events, of which the first one has a type that this version does not know. `after` is before them. */
async function happen(ticketId: number) {
  const after = await ask<string>(gateway, '{ deskCursor }', {}, headers);
  const { messageId } = (await add(gateway, { ticket: { ticketId } })).ticketMessage;
  await gateway.sql`update events set type = 'TICKET_MERGED' where message_id = ${messageId}`;
  await add(gateway, { ticket: { ticketId } });
  return { after };
}

test('an event whose type only a later version knows is listed as OTHER, and the next ones too', async () => {
  const { after } = await happen(5);
  const types = [{ type: 'OTHER' }, { type: 'MESSAGE_ADDED' }];
  const ofTicket = '{ ticketEvents(ticket: { ticketId: 5 }) { type } }';
  const listed = await ask<readonly object[]>(gateway, ofTicket, {}, headers);
  expect(listed.slice(-2)).toEqual(types);
  const ofDesk = (filter: object) =>
    ask<{ events: object[] }>(
      gateway,
      `query ($after: String, $filter: DeskEventFilter) {
        deskEvents(after: $after, filter: $filter) { events { type } } }`,
      { after, filter },
      headers,
    );
  // Events of the desk are shown when no transaction on the server can still have an earlier one.
  const ofAllTypes = await eventually(async () => {
    const found = await ofDesk({});
    return found.events.length === 2 && found;
  });
  expect(ofAllTypes).toEqual({ events: types });
  expect(await ofDesk({ types: ['OTHER'] })).toEqual({ events: [types[0]] });
  expect(await ofDesk({ types: ['MESSAGE_ADDED'] })).toEqual({ events: [types[1]] });
});

test('a subscription shows and filters such an event, and goes on', async () => {
  const { after } = await happen(6);
  const watch = (filter: object) =>
    openStream(
      gateway.url,
      {
        query: `subscription ($after: String, $filter: DeskEventFilter) {
          deskEvents(after: $after, filter: $filter) { type ticket { ticketId } } }`,
        variables: { after, filter },
      },
      headers,
    );
  const event = (type: string, ticketId: number) => ({
    data: { deskEvents: { type, ticket: { ticketId } } },
  });
  const all = await watch({});
  expect((await all.next())?.data).toEqual(event('OTHER', 6));
  expect((await all.next())?.data).toEqual(event('MESSAGE_ADDED', 6));
  const others = await watch({ types: ['OTHER'] });
  expect((await others.next())?.data).toEqual(event('OTHER', 6));
  await happen(7);
  // The events are written before their types are changed.
  expect((await all.next())?.data).toMatchObject({ data: { deskEvents: { ticket: { ticketId: 7 } } } });
  all.leave();
  others.leave();
});

test('a word that cannot be shown is a fault of the gateway and not of the caller', async () => {
  await gateway.sql`update tickets set status = 'MERGED' where id = 8`;
  const response = await fetch(`${gateway.url}/graphql`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify({ query: '{ ticket(by: { ticketId: 8 }) { status } }' }),
  });
  expect(await response.json()).toMatchObject({
    data: { ticket: null },
    errors: [{ path: ['ticket', 'status'], extensions: { code: 'INTERNAL' } }],
  });
});
