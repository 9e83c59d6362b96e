import { once } from 'node:events';
import type { Server, ServerResponse } from 'node:http';

/** How often connections are looked for that have become idle, milliseconds. */
const lookEveryMs = 50;

/**
 * Follows a server's requests, so that it can end without cutting one.
 * @returns ends the server: takes no new connection, answers what is under way as the last on its connection, and resolves when
 * all are gone. A connection that its client only keeps would otherwise hold it up for as long as it is kept, a minute.
 */
export function drainable(server: Server): () => Promise<void> {
  const underWay = new Set<ServerResponse>();
  let draining = false;
  server.prependListener('request', (_req, res) => {
    underWay.add(res);
    res.once('close', () => underWay.delete(res));
    if (draining) sayLast(res);
  });
  return async () => {
    draining = true;
    const closed = once(server, 'close');
    underWay.forEach(sayLast);
    server.close();
    // Those whose answer had begun when it was too late to say that it was the last.
    const look = setInterval(() => server.closeIdleConnections(), lookEveryMs);
    await closed;
    clearInterval(look);
  };
}

/** The client must not send its next request on a connection that is about to end. */
function sayLast(res: ServerResponse): void {
  if (!res.headersSent) res.setHeader('Connection', 'close');
}
