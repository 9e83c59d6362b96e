import { expect, test } from 'vitest';
import { createFeeds } from '../../src/events/feeds.ts';
import { createEventHub, type EventHub } from '../../src/events/hub.ts';
import { createLog } from '../../src/platform/log.ts';
import type { Viewer } from '../../src/platform/request-context.ts';
import type { DeskPosition } from '../../src/tickets/events/desk-cursor.ts';
import { deskFeed } from '../../src/tickets/events/desk-feed.ts';
import { findLastEventNumbers } from '../../src/tickets/events/last-event-numbers.ts';
import { type DeskEventFilter, readDeskEvents } from '../../src/tickets/events/read-desk-events.ts';
import { addWebhook, enableWebhook } from '../../src/webhooks/administration.ts';
import { claimEndpoints } from '../../src/webhooks/leased-endpoints.ts';
import { runEndpoint } from '../../src/webhooks/run-endpoint.ts';
import { createWebhookSender } from '../../src/webhooks/sender.ts';
import { countWaiting } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { add } from '../tickets/calls.ts';
import { startReceiver } from './receiver.ts';

const reader: Viewer = { userId: 0, login: 'w', name: 'w', role: 'OPERATOR', scopes: new Set(['read']) };

/** What a worker needs. */
function portsOf({ database }: Gateway['database'], hub: EventHub) {
  const log = createLog('silent');
  const readWanted = (filter: DeskEventFilter) => (after: DeskPosition) =>
    readDeskEvents(reader, { database }, filter, after, 100);
  return {
    ...{
      db: database.desk,
      feeds: createFeeds(hub),
      deskFeed: deskFeed(readWanted({}), log),
      readWanted,
      log,
    },
    ...{ reach: { allowsPrivate: true }, now: () => new Date(), random: () => 0.5, seen: () => {} },
    mayBegin: async () => true,
  };
}

test('no request begins when the lease grew too short while the database was slow', async () => {
  await using gateway = await startGateway({ env: { ROLES: 'web' } });
  await using receiver = await startReceiver();
  const { database } = gateway.database;
  const { desk } = database;
  const endpoint = { url: receiver.url, types: null, includesPrivate: false };
  await desk.transaction((tx) => addWebhook(tx, endpoint));
  await add(gateway);
  await using hub = createEventHub({
    open: database.listener,
    findLastNumbers: (ids) => findLastEventNumbers(desk, ids),
    log: createLog('silent'),
  });
  const ports = portsOf(gateway.database, hub);
  const [claimed] = await claimEndpoints(desk, 60_000);
  let isLong = true;
  let run: ReturnType<typeof runEndpoint> | undefined;
  await gateway.sql.begin(async (tx) => {
    await tx`lock table desk_keys in access exclusive mode`;
    run = runEndpoint(ports, claimed!, () => isLong);
    await expect.poll(() => countWaiting(gateway.sql)).toBe(1);
    isLong = false;
  });
  run!.stop();
  await run!.ended;
  expect(receiver.received).toHaveLength(0);
});

test('an endpoint that waits for a retry is sent to when it is enabled, without another event', async () => {
  await using gateway = await startGateway({ env: { ROLES: 'web' } });
  await using receiver = await startReceiver();
  receiver.respond = (res, _one, nth) =>
    void res.writeHead(nth === 1 ? 503 : 204, { 'Retry-After': '7200' }).end();
  const { desk, raw } = gateway.database.database;
  const endpoint = { url: receiver.url, types: null, includesPrivate: false };
  const { id } = await desk.transaction((tx) => addWebhook(tx, endpoint));
  await add(gateway);
  // Nothing that happens on the desk wakes it.
  const deaf: Pick<EventHub, 'ending' | 'watch' | 'listening'> = {
    ending: new AbortController().signal,
    watch: () => ({ [Symbol.dispose]: () => {} }),
    listening: async () => {},
  };
  await using sender = createWebhookSender({ ...portsOf(gateway.database, deaf as EventHub), sql: raw });
  sender.start();
  await eventually(async () => (await gateway.sql`select from webhooks where failures = 1`).length > 0);
  await desk.transaction((tx) => enableWebhook(tx, id, false));
  expect(await receiver.has(2)).toHaveLength(2);
});
