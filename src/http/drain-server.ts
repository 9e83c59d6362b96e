import { once } from 'node:events';
import type { Server, ServerResponse } from 'node:http';
import { connectionsOf } from './connections/open-connections.ts';

/** Interval at which idle connections are closed, in milliseconds. */
const closeIdleEveryMs = 50;
/**
 * How long to wait for the rest of a request that has begun, in milliseconds. Nothing of it was acknowledged.
 */
const arriveWithinMs = 10_000;

/**
 * Prepares a server so that it can stop without cutting requests that have arrived. To be called before its
 * first connection.
 * @param patienceMs milliseconds to wait for the rest of a request that has begun, by default 10 s; then its
 *   connection is cut
 * @returns a function that stops the server: it accepts no new connection, closes idle ones, answers current
 *   requests as the last on their connections, and resolves when all connections are closed. There is no time
 *   limit for the response to a request that has arrived, so streams have to be ended by their owner
 */
export function drainable(server: Server, patienceMs = arriveWithinMs): () => Promise<void> {
  const connections = connectionsOf(server);
  return async () => {
    const closed = once(server, 'close');
    for (const res of connections.values()) if (res !== undefined) sayLast(res);
    server.prependListener('request', (_req, res) => sayLast(res));
    server.close();
    // Closes connections whose answer had already begun, too late for `Connection: close`.
    const closing = setInterval(() => {
      server.closeIdleConnections();
      // To Node, a connection on which nothing was ever sent is not idle. A client that lost its stream opens
      // one in advance.
      for (const socket of connections.keys()) if (socket.bytesRead === 0) socket.destroy();
    }, closeIdleEveryMs);
    // After `close`, node's time-outs for slow senders no longer run.
    const cut = setTimeout(() => {
      for (const [socket, res] of connections) {
        const isUnderWay = res !== undefined && !res.closed && res.req.complete;
        if (!isUnderWay) socket.destroy();
      }
    }, patienceMs);
    await closed;
    clearInterval(closing);
    clearTimeout(cut);
  };
}

/** Tells the client not to send another request on this connection. */
function sayLast(res: ServerResponse): void {
  if (!res.headersSent) res.setHeader('Connection', 'close');
}
