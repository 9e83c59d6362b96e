import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * A server's open connections, with the response to the last request of each; undefined before its first
 * request. The map changes as connections come and go.
 */
export type OpenConnections = ReadonlyMap<Socket, ServerResponse | undefined>;

const known = new WeakMap<Server, OpenConnections>();

/**
 * Tracks a server's connections from the first call on; earlier connections are missing. Later calls return
 * the same map.
 */
export function connectionsOf(server: Server): OpenConnections {
  const tracked = known.get(server);
  if (tracked !== undefined) return tracked;
  // Keyed by socket. A Set that changes with every request is rehashed often, and V8's old tables kept
  // answered requests alive past a minor GC.
  const connections = new Map<Socket, ServerResponse | undefined>();
  server.on('connection', (socket) => {
    connections.set(socket, undefined);
    socket.once('close', () => connections.delete(socket));
  });
  server.prependListener('request', ({ socket }, res) => connections.set(socket, res));
  known.set(server, connections);
  return connections;
}
