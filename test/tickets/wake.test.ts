import postgres from 'postgres';
import { expect, test } from 'vitest';
import { say } from '../crash/support/calls.ts';
import { asOperator, startGateway } from '../support/gateway.ts';

test('a message’s commit wakes its ticket’s watchers, and the mail worker if it has mail', async () => {
  await using gateway = await startGateway({ env: { ROLES: 'web' } });
  const told: string[] = [];
  const listener = postgres({ ...(gateway.database.connection as object), max: 1 });
  try {
    await listener.listen('ticketwire_outbox', () => void told.push('outbox'));
    await listener.listen('ticketwire_events', (tickets) => void told.push(`events of ${tickets}`));
    const caller = { authorization: asOperator };
    await say(gateway.url, 'graphql', { ticket: 'INC-000047', body: 'A comment' }, caller);
    await expect.poll(() => told).toEqual(['events of 47']);
    await say(gateway.url, 'graphql', { ticket: 'INC-000003', body: 'A reply', email: {} }, caller);
    await expect.poll(() => told).toEqual(['events of 47', 'events of 3', 'outbox']);
  } finally {
    await listener.end();
  }
});

test('a mail is on its way within a second, not at the worker’s next look at the table', async () => {
  await using gateway = await startGateway();
  for (const ticket of ['INC-000047', 'INC-000003']) {
    const sent = gateway.sink.mails.length;
    await say(gateway.url, 'legacy', { ticket, body: 'Now', email: {} }, { authorization: asOperator });
    await gateway.sink.received(sent + 1);
  }
});
