import { expect, test } from 'vitest';
import { createToken } from '../../src/auth/tokens.ts';
import { startGateway } from '../support/gateway.ts';

const change = (
  command: string,
) => `mutation($input: ${command === 'resolveDelivery' ? 'Resolve' : ''}DeliveryInput!) {
  ${command}(input: $input) { __typename ... on UserError { code } }
}`;

test('an operator without the mailbox grant cannot send from it, but may cancel its mails', async () => {
  await using gateway = await startGateway({ env: { ROLES: 'web' } });
  const [curious] = await gateway.sql<{ id: number }[]>`
    insert into users (login, name, role) values ('curious', 'Curious', 'OPERATOR') returning id`;
  const { token } = await createToken(gateway.database.database.desk, {
    userId: curious!.id,
    name: 'test',
    scopes: ['read', 'write', 'mail'],
  });
  const authorization = `Bearer ${token}`;
  const mail = (as: string | undefined) =>
    gateway.graphql<{ addTicketMessage: { code?: string; delivery?: { id: string } } }>(
      `mutation { addTicketMessage(input: {ticket: {ticketId: 47}, body: "x", email: {from:
        "company@domain.com"}}) {
        ... on AddTicketMessagePayload { delivery { id } } ... on UserError { code }
      } }`,
      {},
      as === undefined ? {} : { authorization: as },
    );
  expect((await mail(authorization)).data.addTicketMessage.code).toBe('MAILBOX_NOT_FOUND');
  const { delivery } = (await mail(undefined)).data.addTicketMessage;
  const input = { delivery: delivery!.id };
  const run = async (command: string, more: object = {}) => {
    const { data } = await gateway.graphql<Record<string, { code?: string }>>(
      change(command),
      { input: { ...input, ...more } },
      { authorization },
    );
    return data[command]!.code;
  };
  const id = Number(Buffer.from(delivery!.id, 'base64').toString().split(':')[1]);
  await gateway.sql`update deliveries set state = 'FAILED' where id = ${id}`;
  expect(await run('retryDelivery')).toBe('FORBIDDEN');
  await gateway.sql`update deliveries set state = 'OUTCOME_UNKNOWN' where id = ${id}`;
  await gateway.sql`update delivery_recipients set state = 'OUTCOME_UNKNOWN' where delivery_id = ${id}`;
  expect(await run('resolveDelivery', { as: 'RESEND' })).toBe('FORBIDDEN');
  const [row] = await gateway.sql`select state from deliveries where id = ${id}`;
  expect(row!.state).toBe('OUTCOME_UNKNOWN');
  expect(await run('resolveDelivery', { as: 'ASSUME_SENT' })).toBeUndefined();
  await gateway.sql`update deliveries set state = 'QUEUED' where id = ${id}`;
  expect(await run('cancelDelivery')).toBeUndefined();
});
