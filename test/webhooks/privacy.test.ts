import { expect, test } from 'vitest';
import { addWebhook } from '../../src/webhooks/administration.ts';
import { createTestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { startGateway } from '../support/gateway.ts';
import { add } from '../tickets/calls.ts';
import { startReceiver } from './receiver.ts';

const canary = 'CANARY-91c4';

test('an endpoint that may not see what is private is told nothing that depends on it', async () => {
  await using database = await createTestDatabase('demo');
  await using receiver = await startReceiver();
  const { desk } = database.database;
  for (const [path, includesPrivate] of [
    ['/public', false],
    ['/all', true],
  ] as const)
    await desk.transaction((tx) =>
      addWebhook(tx, { url: `${receiver.url}${path}`, types: null, includesPrivate }),
    );
  await using gateway = await startGateway({ database, env: { WEBHOOK_PRIVATE_ADDRESSES: '1' } });
  const input = { body: canary, visibility: 'PRIVATE', idempotencyKey: canary };
  const note = await add(
    gateway,
    { ...input, attachments: [{ file: null }] },
    {
      files: [new File([canary], `${canary}.txt`)],
    },
  );
  const mailed = await add(gateway, {
    body: canary,
    email: { from: 'company@domain.com', bcc: [`${canary}@b.cz`] },
  });
  const last = await add(gateway, { body: canary });
  const { delivery } = await eventually(async () => {
    const told = await receiver.has(1, '/all');
    return told.map(({ body }) => JSON.parse(body).data).find((data) => data.delivery !== null);
  });
  const told = await receiver.has(2, '/public');
  const ids = told.map(({ body }) => JSON.parse(body).data.ticketMessage.id);
  expect(ids).toEqual([mailed.ticketMessage.id, last.ticketMessage.id]);
  const text = JSON.stringify(told);
  for (const hidden of [note.ticketMessage.id, mailed.delivery!.id, delivery.id, 'PRIVATE'])
    expect(text).not.toContain(hidden);
  // Neither does a cursor say how many events lie between two.
  expect(text).not.toMatch(/cursor|ZXZlbnRz/);
  // Texts, files and addresses are sent to no endpoint.
  expect(JSON.stringify(receiver.received)).not.toContain(canary);
});

test('no viewer reads a webhook or its secret, whatever the query says', async () => {
  await using database = await createTestDatabase('demo');
  await database.database.desk.transaction((tx) =>
    addWebhook(tx, { url: 'https://example.com/', types: null, includesPrivate: true }),
  );
  const { raw } = database.database;
  const seenBy = (role: string) =>
    raw.begin(async (tx) => {
      await tx`select set_config('ticketwire.viewer_role', ${role}, true)`;
      return tx`select * from webhooks`;
    });
  expect(await seenBy('REQUESTER')).toHaveLength(0);
  expect(await seenBy('OPERATOR')).toHaveLength(0);
  expect(await seenBy('DESK')).toHaveLength(1);
});
