import { expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import { add, ask } from '../tickets/calls.ts';

/** More than a statement can have parameters. */
const quoting = 66_000;

test('a message is redacted however many later mails may quote it', async () => {
  await using gateway = await startGateway({ env: { ROLES: 'web' } });
  const { ticketMessage } = await add(gateway, { ticket: { ticketId: 5 }, body: 'a secret' });
  // Without the triggers and foreign keys, which take a minute.
  await gateway.sql.begin(async (sql) => {
    await sql`set local session_replication_role = replica`;
    await sql`
      with m as (
        insert into messages (ticket_id, author_id, body, format, visibility, is_mobile_device)
        select 5, 1, 'quotes it', 'TEXT', 'PUBLIC', false from generate_series(1, ${quoting}) returning id
      ), d as (
        insert into deliveries (message_id, ticket_id, mailbox_id, from_address, from_name, subject, quote,
          rfc_message_id, state, settled_at)
        select id, 5, 1, 'company@domain.com', 'Company', 'Re: it', 'ALL', '<' || id || '@domain.com>',
          'SENT', now() from m returning id
      )
      insert into delivery_sources (delivery_id, skeleton, inserts) select id, '', '[]' from d`;
  });
  const redacted = await ask<{ ticketMessage: { body: string } }>(
    gateway,
    `mutation ($input: RedactMessageInput!) { redactMessage(input: $input) {
      ... on RedactMessagePayload { ticketMessage { body } } } }`,
    { input: { message: ticketMessage.id } },
  );
  expect(redacted.ticketMessage.body).toBe('');
  expect(
    await gateway.sql`select from delivery_sources join deliveries d on d.id = delivery_id
    where d.ticket_id = 5`,
  ).toHaveLength(0);
});
