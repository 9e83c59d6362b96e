import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { Connection } from '../../../src/db/database.ts';

type Place = Exclude<Connection, string>;

/** A way to a database that behaves as PgBouncer does towards a client. */
export interface PoolerDoor extends AsyncDisposable {
  /** The same database by this door. */
  through(connection: Connection): Place;
  /** Gives each client another one's session, as `pool_mode = transaction` does between transactions. */
  rotate(): void;
}

interface Client {
  readonly socket: Socket;
  session: Socket;
}

/** The head of a `BackendKeyData`. */
const keyData = Buffer.from([75, 0, 0, 0, 12]);

/** Opens the door. Clients are told process ids that the server has never heard of. */
export async function openPoolerDoor(to: Connection): Promise<PoolerDoor> {
  const place = to as Place;
  const clients: Client[] = [];
  let strangePid = 0x7f_00_00_00;

  function hidePid(chunk: Buffer): Buffer {
    const at = chunk.indexOf(keyData);
    if (at < 0) return chunk;
    strangePid += 1;
    chunk.writeUInt32BE(strangePid, at + keyData.length);
    return chunk;
  }

  const server = createServer((socket) => {
    const { path, host, port } = place;
    const session = path === undefined ? connect(port, host) : connect(path);
    const client = { socket, session };
    clients.push(client);
    let isOpen = false;
    session.on('data', (chunk) => {
      const owner = clients.find((each) => each.session === session);
      owner?.socket.write(isOpen ? chunk : hidePid(chunk));
      isOpen ||= chunk.includes(keyData);
    });
    socket.on('data', (chunk) => client.session.write(chunk));
    socket.on('error', () => {});
    session.on('error', () => {});
    session.on('close', () => clients.find((each) => each.session === session)?.socket.destroy());
    socket.on('close', () => {
      clients.splice(clients.indexOf(client), 1);
      client.session.destroy();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    through: (connection) => {
      const { user, database, password } = connection as Place;
      const { port } = server.address() as AddressInfo;
      return { host: '127.0.0.1', port, user, database, ...(password === undefined ? {} : { password }) };
    },
    rotate() {
      const sessions = clients.map(({ session }) => session);
      for (const [n, client] of clients.entries()) client.session = sessions[(n + 1) % sessions.length]!;
    },
    async [Symbol.asyncDispose]() {
      server.close();
      for (const { socket, session } of [...clients]) {
        socket.destroy();
        session.destroy();
      }
    },
  };
}
