import { expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';

const add = `mutation($input: AddTicketMessageInput!) {
  addTicketMessage(input: $input) { __typename
  ... on AddTicketMessagePayload { ticketMessage { messageId } } ... on UserError { code } }
}`;
interface Added {
  addTicketMessage: { __typename: string; ticketMessage: { messageId: number } };
}
const input = (body: string, more: object = {}) => ({ input: { ticket: { ticketId: 47 }, body, ...more } });

test('connections cut under load cost at most a 503; each acknowledged message is there once', async () => {
  await using gateway = await startGateway();
  await gateway.graphql('{ viewer { login } }');
  const acknowledged = new Map<string, number>();
  const statuses = new Map<number, number>();
  let answers = 0;
  const cut = () =>
    gateway.sql`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and application_name = 'ticketwire' and pid <> pg_backend_pid()`;
  const send = async (caller: number) => {
    for (let n = 0; n < 8; n += 1) {
      const body = `cut ${caller}/${n}`;
      for (let attempt = 0; attempt < 400; attempt += 1) {
        const answer = await gateway.graphql<Added>(add, input(body, { idempotencyKey: body }));
        answers += 1;
        if (answers % 6 === 0) await cut();
        statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
        if (answer.status === 200) {
          acknowledged.set(body, answer.data.addTicketMessage.ticketMessage.messageId);
          break;
        }
      }
    }
  };
  await Promise.all(Array.from({ length: 6 }, (_, caller) => send(caller)));
  expect([...statuses.keys()].sort()).toEqual(expect.arrayContaining([200]));
  expect([...statuses.keys()].filter((status) => status !== 200 && status !== 503)).toEqual([]);
  expect(acknowledged.size).toBe(6 * 8);
  const rows = await gateway.sql<
    { id: number; body: string }[]
  >`select id, body from messages where body like 'cut %'`;
  expect(new Map(rows.map(({ id, body }) => [body, id]))).toEqual(acknowledged);
  expect(rows).toHaveLength(acknowledged.size);
  const [gaps] = await gateway.sql`
    select count(*)::int as events, max(number) - min(number) + 1 as span from events where ticket_id = 47`;
  expect(gaps!.events).toBe(gaps!.span);
});
