import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Db } from '../../../db/database.ts';
import { type InboxPage, type InboxQuery, listInboxMails } from '../store.ts';

/** Seconds. A gateway that is stopping waits for its requests. */
const longestWait = 30;
/** The mail may have been received by another process. */
const pollMs = 100;

/**
 * Returns the mails of a query. If there are none, it polls the database until there are, for `seconds` but
 * at most 30 s, or until the client disconnects. Then it returns a page without mails.
 * @param seconds 0, a negative number or NaN: it does not wait
 */
export async function waitForMails(
  req: IncomingMessage,
  db: Db,
  query: InboxQuery,
  seconds: number,
): Promise<InboxPage> {
  const patience = Number.isFinite(seconds) ? Math.max(0, Math.min(seconds, longestWait)) : 0;
  const until = performance.now() + 1000 * patience;
  for (;;) {
    const page = await listInboxMails(db, query);
    const isOver = performance.now() + pollMs > until || req.socket.destroyed;
    if (page.mails.length > 0 || isOver) return page;
    await sleep(pollMs);
  }
}
