import { afterAll, beforeAll, expect, test } from 'vitest';
import { openStream } from '../../support/event-stream.ts';
import { asOperator, type Gateway, startGateway } from '../../support/gateway.ts';
import { soaking } from '../../support/soak.ts';

const length = soaking ? 3_000_000 : 1_000_000;
let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway({ env: { ROLES: 'web' } });
});
afterAll(() => gateway[Symbol.asyncDispose]());

test('a long event reaches each of those who watch the same', async () => {
  const { data } = await gateway.graphql<{ ticket: { cursor: string } }>(
    '{ ticket(by: {ticketId: 47}) { cursor } }',
  );
  const query =
    'subscription ($after: String) { ticketEvents(ticket: {ticketId: 47}, after: $after) { ' +
    'ticketMessage { body } } }';
  const opened = [1, 2].map(() =>
    openStream(
      gateway.url,
      { query, variables: { after: data.ticket.cursor } },
      { authorization: asOperator },
    ),
  );
  const streams = await Promise.all(opened);
  const body = 'x'.repeat(length);
  const told = Promise.all(streams.map(async (stream) => JSON.stringify((await stream.next())!.data).length));
  await gateway.graphql(
    'mutation ($input: AddTicketMessageInput!) { addTicketMessage(input: $input) { __typename } }',
    { input: { ticket: { ticketId: 47 }, body } },
  );
  const lengths = await told;
  for (const stream of streams) stream.leave();
  expect(lengths).toEqual([lengths[0], lengths[0]]);
  expect(lengths[0]).toBeGreaterThan(length);
});
