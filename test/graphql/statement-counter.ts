import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { Connection } from '../../src/db/database.ts';

/** A way to the database that counts what is executed on it, by PostgreSQL's own messages. */
export interface StatementCounter extends AsyncDisposable {
  /** The same server, through the counter. */
  readonly connection: Connection;
  /** Statements executed so far: each Execute of a prepared one, and each simple query. */
  readonly executed: number;
  /** Bytes of PostgreSQL's answers so far. */
  readonly answered: number;
}

/** @param to its `path` is where every client is led */
export async function countStatements(to: Connection): Promise<StatementCounter> {
  const { path, ...rest } = to as Exclude<Connection, string>;
  const sockets = new Set<Socket>();
  let executed = 0;
  let answered = 0;
  const server = createServer((client) => {
    const inside = connect(path!);
    const count = createReader((type) => {
      if (type === 'E' || type === 'Q') executed += 1;
    });
    for (const socket of [client, inside]) {
      sockets.add(socket);
      socket.on('error', () => [client, inside].forEach((one) => void one.destroy()));
      socket.on('close', () => sockets.delete(socket));
    }
    client.on('data', count);
    inside.on('data', (chunk: Buffer) => {
      answered += chunk.length;
    });
    client.pipe(inside).pipe(client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    connection: { ...rest, host: '127.0.0.1', port: (server.address() as AddressInfo).port },
    get executed() {
      return executed;
    },
    get answered() {
      return answered;
    },
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** Reads one client's messages: a first one of a length, and then each of a letter and a length. */
function createReader(told: (type: string) => void): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  let started = false;
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    for (;;) {
      const prefix = started ? 1 : 0;
      if (rest.length < prefix + 4) return;
      const end = prefix + rest.readInt32BE(prefix);
      if (rest.length < end) return;
      if (started) told(String.fromCharCode(rest[0]!));
      started = true;
      rest = rest.subarray(end);
    }
  };
}
