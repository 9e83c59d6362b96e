import { once } from 'node:events';
import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** How often connections are looked for that have become idle, milliseconds. */
const lookEveryMs = 50;
/**
 * How long the rest of a request is waited for that had begun, milliseconds. Nothing of it was acknowledged.
 */
const arriveWithinMs = 10_000;

/**
 * Follows a server's requests, so that it can end without cutting one that has arrived.
 * @returns ends the server: takes no new connection, answers what is under way as the last on its connection,
 * and resolves when all are gone. A connection that its client only keeps would otherwise hold it up for as
 * long as it is kept, a minute.
 */
export function drainable(server: Server, patienceMs = arriveWithinMs): () => Promise<void> {
  // By connection, as what gains and loses an entry with each request is copied every few requests, and its
  // old copies keep all that they name alive: most of what outlived a collection of young garbage was of
  // requests that had long been answered.
  const answering = new Map<Socket, ServerResponse | undefined>();
  let draining = false;
  server.on('connection', (socket) => {
    answering.set(socket, undefined);
    socket.once('close', () => answering.delete(socket));
  });
  server.prependListener('request', ({ socket }, res) => {
    answering.set(socket, res);
    res.once('close', () => {
      if (answering.get(socket) === res) answering.set(socket, undefined);
    });
    if (draining) sayLast(res);
  });
  return async () => {
    draining = true;
    const closed = once(server, 'close');
    for (const res of answering.values()) if (res !== undefined) sayLast(res);
    server.close();
    // Those whose answer had begun when it was too late to say that it was the last.
    const look = setInterval(() => server.closeIdleConnections(), lookEveryMs);
    // Once a server is closed, node's own time-outs for slow senders do not run any more.
    const cut = setTimeout(() => {
      for (const [socket, res] of answering) if (!res?.req.complete) socket.destroy();
    }, patienceMs);
    await closed;
    clearInterval(look);
    clearTimeout(cut);
  };
}

/** The client must not send its next request on a connection that is about to end. */
function sayLast(res: ServerResponse): void {
  if (!res.headersSent) res.setHeader('Connection', 'close');
}
