import { createFeeds } from '../events/feeds.ts';
import { createEventHub } from '../events/hub.ts';
import { whyHeld } from '../mail/outbox/holding/home.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { Viewer } from '../platform/request-context.ts';
import type { DeskPosition } from '../tickets/events/desk-cursor.ts';
import { deskFeed } from '../tickets/events/desk-feed.ts';
import { pageSize } from '../tickets/events/event.ts';
import { findLastEventNumbers } from '../tickets/events/last-event-numbers.ts';
import { type DeskEventFilter, readDeskEvents } from '../tickets/events/read-desk-events.ts';
import { createWebhookSender } from '../webhooks/sender.ts';
import type { Foundation } from './foundation.ts';

/** The sender reads all events, as an operator may. The filter of each endpoint selects those to send. */
const reader: Viewer = {
  userId: 0,
  login: 'webhooks',
  name: 'webhooks',
  role: 'OPERATOR',
  scopes: new Set(['read']),
};
/** Milliseconds for which a result of `mayBegin` is reused. */
const askEveryMs = 5000;

/**
 * Starts the sender of webhooks, which stops with `parts`. It sends nothing while the outbox is held: by an
 * operator, or because this database is a copy or may be one (`whyHeld`). A change of that takes effect
 * within 5 s. The sender opens a LISTEN connection of its own.
 */
export function startWebhooks({ config, parts, database, now, log }: Foundation, metrics: Metrics): void {
  const hub = parts.use(
    createEventHub({
      open: database.listener,
      findLastNumbers: (ids) => findLastEventNumbers(database.desk, ids),
      log,
    }),
  );
  const readWanted = (filter: DeskEventFilter) => (after: DeskPosition) =>
    readDeskEvents(reader, { database }, filter, after, pageSize);
  // A copy of the database must not send what the original sends.
  let asked = { at: Number.NEGATIVE_INFINITY, mayBegin: false };
  async function mayBegin(): Promise<boolean> {
    if (performance.now() - asked.at > askEveryMs)
      asked = { at: performance.now(), mayBegin: (await whyHeld(database.raw)) === undefined };
    return asked.mayBegin;
  }
  parts
    .use(
      createWebhookSender({
        db: database.desk,
        sql: database.raw,
        feeds: createFeeds(hub),
        deskFeed: deskFeed(readWanted({}), log),
        readWanted,
        reach: config.webhooks,
        log,
        now,
        random: Math.random,
        seen: metrics.webhookRequested,
        mayBegin,
      }),
    )
    .start();
}
