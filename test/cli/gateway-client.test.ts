import { expect, test } from 'vitest';
import { createToken } from '../../src/auth/tokens.ts';
import { CommandError, type LooseContext } from '../../src/cli/command.ts';
import { connectGateway } from '../../src/cli/gateway/client.ts';
import { startGateway } from '../support/gateway.ts';

test('a refusal is never taken for a result, whatever the query selects of it', async () => {
  await using gateway = await startGateway({ env: { ROLES: 'web' } });
  const [user] = await gateway.sql<{ id: number }[]>`select id from users where login = 'operator'`;
  const { desk } = gateway.database.database;
  const { token } = await createToken(desk, { userId: user!.id, name: 'cli', scopes: ['read', 'write'] });
  const env = { TICKETWIRE_URL: gateway.url, TICKETWIRE_TOKEN: token };
  const client = connectGateway({ env, stderr: process.stderr } as unknown as LooseContext, {});
  const closed = (ticketId: number, selected: string) =>
    client
      .execute(
        `mutation Close($input: SetTicketStatusInput!) { setTicketStatus(input: $input) {
          ... on SetTicketStatusPayload { changed } ${selected} } }`,
        { input: { ticket: { ticketId }, status: 'CLOSED' } },
      )
      .catch((error) => error);

  const refused = await closed(999, '... on UserError { code message }');
  expect(refused).toBeInstanceOf(CommandError);
  expect(refused.message).toMatch(/^TICKET_NOT_FOUND: /);
  const unread = await closed(999, '');
  expect(unread).toBeInstanceOf(CommandError);
  expect(unread.message).toBe("The gateway's answer has a type that this version does not know");
  expect(await closed(47, '')).toEqual({ changed: true });
  const last = await client.execute<{ cursor: string }>('{ ticket(by: { ticketId: 2 }) { cursor } }', {});
  const later =
    'query Later($after: String) { ticketEvents(ticket: { ticketId: 2 }, after: $after) { type } }';
  expect(await client.execute(later, { after: last.cursor })).toEqual([]);
});
