import { expect, test } from 'vitest';
import { addWebhook } from '../../src/webhooks/administration.ts';
import { type GatewayProcess, startGatewayProcess } from '../crash/support/gateway-process.ts';
import { openTcpDoor } from '../crash/support/tcp-door.ts';
import { createTestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { startGateway } from '../support/gateway.ts';
import { add } from '../tickets/calls.ts';
import { startReceiver } from './receiver.ts';

const rounds = 8;
const perRound = 12;

test('workers are killed and an endpoint fails: every event arrives, in order', async () => {
  await using database = await createTestDatabase('demo');
  await using receiver = await startReceiver();
  await database.database.desk.transaction((tx) =>
    addWebhook(tx, { url: receiver.url, types: null, includesPrivate: true }),
  );
  // Every fifth request fails; every seventh is taken and not answered: its worker is killed meanwhile.
  receiver.respond = (res, _one, nth) => {
    if (nth % 7 === 0) return;
    res.writeHead(nth % 5 === 0 ? 500 : 200).end();
  };
  await using writer = await startGateway({ database, env: { ROLES: 'web' } });
  await using door = await openTcpDoor(database.connection);
  const start = () =>
    startGatewayProcess({
      DATABASE_URL: door.urlOf(database.connection),
      DATABASE_OWNER_URL: door.urlOf(database.ownerConnection),
      DATA_DIR: writer.blobsDirectory,
      ROLES: 'web,worker',
      SMTP_URL: writer.sink.url,
      WEBHOOK_PRIVATE_ADDRESSES: '1',
    });
  const written: number[] = [];
  const told = () => [
    ...new Set(receiver.received.map(({ body }) => JSON.parse(body).data.ticketMessage.messageId as number)),
  ];
  /** What a lease's expiry and a back-off would bring in minutes. */
  const hurry = () => writer.sql`update webhooks set due_at = now(), lease_until = now() - interval '1 s'`;
  for (let round = 0; round < rounds; round += 1) {
    const before = receiver.received.length;
    const worker: GatewayProcess = await start();
    for (let n = 0; n < perRound; n += 1) written.push((await add(writer)).ticketMessage.messageId);
    await eventually(() => receiver.received.length > before);
    await worker.kill();
    await hurry();
  }
  await using _last = await start();
  receiver.respond = (res) => void res.writeHead(200).end();
  await hurry();
  await eventually(() => told().length === written.length);
  expect(told()).toEqual(written);
}, 300_000);
