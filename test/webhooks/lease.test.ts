import { expect, test } from 'vitest';
import { createFeeds } from '../../src/events/feeds.ts';
import { createEventHub } from '../../src/events/hub.ts';
import { createLog } from '../../src/platform/log.ts';
import type { Viewer } from '../../src/platform/request-context.ts';
import type { DeskPosition } from '../../src/tickets/events/desk-cursor.ts';
import { deskFeed } from '../../src/tickets/events/desk-feed.ts';
import { findLastEventNumbers } from '../../src/tickets/events/last-event-numbers.ts';
import { type DeskEventFilter, readDeskEvents } from '../../src/tickets/events/read-desk-events.ts';
import { addWebhook } from '../../src/webhooks/administration.ts';
import { claimEndpoints } from '../../src/webhooks/leased-endpoints.ts';
import { runEndpoint } from '../../src/webhooks/run-endpoint.ts';
import { countWaiting } from '../support/database.ts';
import { startGateway } from '../support/gateway.ts';
import { add } from '../tickets/calls.ts';
import { startReceiver } from './receiver.ts';

const reader: Viewer = { userId: 0, login: 'w', name: 'w', role: 'OPERATOR', scopes: new Set(['read']) };

test('no request begins when the lease grew too short while the database was slow', async () => {
  await using gateway = await startGateway({ env: { ROLES: 'web' } });
  await using receiver = await startReceiver();
  const { database } = gateway.database;
  const { desk } = database;
  const endpoint = { url: receiver.url, types: null, includesPrivate: false };
  await desk.transaction((tx) => addWebhook(tx, endpoint));
  await add(gateway);
  const log = createLog('silent');
  await using hub = createEventHub({
    open: database.listener,
    findLastNumbers: (ids) => findLastEventNumbers(desk, ids),
    log,
  });
  const readWanted = (filter: DeskEventFilter) => (after: DeskPosition) =>
    readDeskEvents(reader, { database }, filter, after, 100);
  const ports = {
    ...{ db: desk, feeds: createFeeds(hub), deskFeed: deskFeed(readWanted({}), log), readWanted, log },
    ...{ reach: { allowsPrivate: true }, now: () => new Date(), random: () => 0.5, seen: () => {} },
    mayBegin: async () => true,
  };
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
