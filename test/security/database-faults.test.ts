import { expect, test } from 'vitest';
import { asRequester, type Gateway, startGateway } from '../support/gateway.ts';

const add = `mutation($input: AddTicketMessageInput!) {
  addTicketMessage(input: $input) { __typename
  ... on AddTicketMessagePayload { replayed ticketMessage { messageId } } ... on UserError { code } }
}`;
interface Added {
  addTicketMessage: { __typename: string; ticketMessage: { messageId: number } };
}
const input = (body: string, more: object = {}) => ({ input: { ticket: { ticketId: 47 }, body, ...more } });

/** A request for everything that uses the database. */
const requests: Record<string, (gateway: Gateway) => Promise<{ status: number; headers: Headers }>> = {
  'a mutation': (gateway) => gateway.graphql(add, input('x')),
  'a refused mutation': (gateway) => gateway.graphql(add, input('')),
  'the old endpoint': (gateway) => gateway.legacy({ TicketREF: 'INC-000047', Message: 'x' }),
  'an operator who reads': (gateway) => gateway.graphql('{ ticket(by: {ticketId: 47}) { id } }'),
  'a requester who reads': (gateway) =>
    gateway.graphql('{ ticket(by: {ticketId: 47}) { id } }', {}, { authorization: asRequester }),
  'a download': ({ url }) =>
    fetch(`${url}/attachments/QXR0YWNobWVudDox`, { headers: { authorization: asRequester } }),
};

test('while the database does not answer, everything says so in bounded time; then all goes on', async () => {
  await using gateway = await startGateway({ env: { DATABASE_TIMEOUT: '2' } });
  await gateway.graphql('{ viewer { login } }', {}, { authorization: asRequester });
  await gateway.graphql('{ viewer { login } }');
  const before = await gateway.counts();
  await gateway.sql.begin(async (sql) => {
    await sql`lock table tickets in access exclusive mode`;
    // Ten of each, so that the pools are exhausted too.
    const asked = Object.entries(requests).flatMap(([name, ask]) =>
      Array.from({ length: 10 }, async () => {
        const { status, headers } = await ask(gateway);
        return `${name}: ${status}, ${headers.get('retry-after')}`;
      }),
    );
    expect([...new Set(await Promise.all(asked))].sort()).toEqual(
      Object.keys(requests)
        .map((name) => `${name}: 503, 2`)
        .sort(),
    );
    // The lock is still held: no request waited for it.
  });
  await expect.poll(async () => (await gateway.graphql<Added>(add, input('after'))).status).toBe(200);
  const after = await gateway.counts();
  // A statement that was sent before its caller got the error may still be executed, completely; nothing else
  // is.
  const more = after.messages! - before.messages!;
  expect(after.events! - before.events!).toBe(more);
  expect(more).toBeLessThan(20);
});
