import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { Connection } from '../../../src/db/database.ts';

/** A database that listens on a socket file, reachable by TCP: DATABASE_URL knows hosts and ports only. */
export interface TcpDoor extends AsyncDisposable {
  /** `postgres://user@127.0.0.1:PORT/database` for a connection of the same server. */
  urlOf(connection: Connection): string;
}

/** @param connection its `path` is where every client is led */
export async function openTcpDoor(connection: Connection): Promise<TcpDoor> {
  const { path } = connection as Exclude<Connection, string>;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const inside = connect(path!);
    for (const socket of [client, inside]) {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
    }
    client.on('error', () => inside.destroy());
    inside.on('error', () => client.destroy());
    client.pipe(inside).pipe(client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    urlOf(wanted) {
      const { user, database } = wanted as Exclude<Connection, string>;
      return `postgres://${user}@127.0.0.1:${port}/${database}`;
    },
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
