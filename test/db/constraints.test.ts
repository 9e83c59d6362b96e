import { afterAll, beforeAll, expect, test } from 'vitest';
import { errorCodeOf } from '../../src/platform/database-faults.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway({ env: { ROLES: 'web' } });
});
afterAll(() => gateway[Symbol.asyncDispose]());

/**
 * A message of ticket 2 with a delivery by some ticket, as one statement. @returns what the database says
 * against it
 */
async function deliver(visibility: 'PUBLIC' | 'PRIVATE', ticketId: number) {
  const inserted = gateway.sql`
    with message as (
      insert into messages (ticket_id, author_id, body, format, visibility, is_mobile_device)
      values (2, 1, 'text', 'TEXT', ${visibility}, false) returning id
    ), delivery as (
      insert into deliveries (message_id, ticket_id, mailbox_id, from_address, from_name, subject,
      rfc_message_id, state)
      select id, ${ticketId}, (select min(id)
      from mailboxes), 'a@desk.test', '', '', '<' || gen_random_uuid() || '@desk.test>', 'HELD'
      from message returning id
    )
    insert into delivery_recipients (delivery_id, position, kind, address)
    select id, 1, 'TO', 'b@customer.test' from delivery`;
  return inserted.then(
    () => undefined,
    (error) => ({
      state: errorCodeOf(error),
      constraint: (error as { constraint_name?: string }).constraint_name,
    }),
  );
}

test('a delivery belongs to a public message and to its ticket, whoever writes it', async () => {
  expect(await deliver('PUBLIC', 2)).toBeUndefined();
  const refused = { state: '23503', constraint: 'deliveries_place_fk' };
  expect(await deliver('PUBLIC', 3)).toEqual(refused);
  expect(await deliver('PRIVATE', 2)).toEqual(refused);
});
