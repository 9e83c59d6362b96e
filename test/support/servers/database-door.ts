import { EventEmitter, once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
// Clock: a network that is as slow as a test says.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from '../../../src/db/database.ts';

type Place = Exclude<Connection, string>;

/**
 * A network between a gateway and its database that can be slow, hold everything back, lose packets, or lead
 * elsewhere.
 */
export interface DatabaseDoor extends AsyncDisposable {
  readonly port: number;
  /** The same database by this door. */
  through(connection: Connection): Place;
  /** Bytes that a gateway has sent and that are held back. */
  readonly heldBytes: number;
  /** Resolves once bytes of a gateway are held back. */
  whenHeld(): Promise<void>;
  /** Holds back what the gateway sends from now on, on all connections. */
  hold(): void;
  release(): void;
  /** The connections of now deliver nothing any more, and are not closed either; new ones work. */
  loseAll(): void;
  /** Each piece arrives as much later, milliseconds. */
  slowDown(milliseconds: number): void;
  /** New connections lead here. */
  leadTo(place: Place): void;
  /** Connections that gateways have opened since the beginning. */
  readonly opened: number;
}

interface Pair {
  readonly client: Socket;
  readonly inside: Socket;
  isLost: boolean;
}

export async function openDatabaseDoor(first: Connection): Promise<DatabaseDoor> {
  let place = first as Place;
  let holding = false;
  let delay = 0;
  let heldBytes = 0;
  let opened = 0;
  const events = new EventEmitter();
  const pairs = new Set<Pair>();

  /** In order, whatever the delay was when each piece came. */
  function carry(pair: Pair, from: Socket, to: Socket, isRequest: boolean): void {
    let last = Promise.resolve();
    from.on('data', (piece) => {
      const arrives = sleep(delay);
      if (isRequest && holding) {
        heldBytes += piece.length;
        events.emit('held');
      }
      last = last.then(async () => {
        await arrives;
        while (isRequest && holding) await once(events, 'released');
        if (!pair.isLost && !to.destroyed) to.write(piece);
      });
    });
    from.on('end', () => void last.then(() => !pair.isLost && to.end()));
    from.on('error', () => !pair.isLost && to.destroy());
  }

  const server = createServer((client) => {
    opened += 1;
    const { path, host, port } = place;
    const inside = path === undefined ? connect(port, host) : connect(path);
    const pair: Pair = { client, inside, isLost: false };
    pairs.add(pair);
    carry(pair, client, inside, true);
    carry(pair, inside, client, false);
    client.on('close', () => {
      pairs.delete(pair);
      if (!pair.isLost) inside.destroy();
    });
    inside.on('close', () => !pair.isLost && client.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const lost: Pair[] = [];
  return {
    port,
    through: (connection) => {
      const { user, database, password } = connection as Place;
      return { host: '127.0.0.1', port, user, database, ...(password === undefined ? {} : { password }) };
    },
    get heldBytes() {
      return heldBytes;
    },
    get opened() {
      return opened;
    },
    async whenHeld() {
      if (heldBytes === 0) await once(events, 'held');
    },
    hold() {
      holding = true;
    },
    release() {
      holding = false;
      heldBytes = 0;
      events.emit('released');
    },
    loseAll() {
      for (const pair of pairs) {
        pair.isLost = true;
        lost.push(pair);
      }
    },
    slowDown(milliseconds) {
      delay = milliseconds;
    },
    leadTo(other) {
      place = other;
    },
    async [Symbol.asyncDispose]() {
      server.close();
      for (const { client, inside } of [...pairs, ...lost]) {
        client.destroy();
        inside.destroy();
      }
    },
  };
}
