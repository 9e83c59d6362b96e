import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import { parameterTypes } from './parameter-types.ts';
import { securityOf } from './socket.ts';
import { openWire, type Wire } from './wire.ts';

/*
 * What postgres.js 3.4.9 has to be helped with, by its documented options alone. test/db/driver.test.ts shows
 * each fault on the bare driver, and fails once it is mended there: then the help can go.
 *
 * 1. An error that a connection ends with is kept beyond its end, and is told to the first statement of the
 *    connection that takes its place, which was never sent. `socket`: the wire keeps such an error from the
 *    driver, and ends the connection with it (wire.ts). An error of a statement is passed on together with
 *    the `ReadyForQuery` behind it.
 * 2. A statement that the server no longer knows, or whose result has other columns, is sent again with its
 *    parameters written a second time: `true` becomes `t`, and `t` becomes `f`. `types`: ours may be written
 *    twice (parameter-types.ts).
 * 3. Each new connection asks for the array types, and nobody hears when that fails. `fetch_types: false`:
 *    ours are known.
 * 4. Nothing ends a statement that the server never answers. `socket`: silence.ts ends the connection.
 * 5. A connection that the server closes before it is open is opened again, at once and for ever, and its
 *    statement waits. `socket`: the wire says that this is an error.
 * 6. After many connections were lost at once, the next one waits for up to 20 s. `backoff`.
 */

/** Options for postgres.js: a URL, or a socket of the embedded server. */
export type Connection =
  | string
  | { host?: string; path?: string; port: number; user: string; password?: string; database: string };

export interface ClientOptions {
  /** Connections at most. */
  readonly max: number;
  /** What each connection tells the server when it begins. */
  readonly parameters?: Readonly<Record<string, string>>;
  readonly connectSeconds?: number;
  /** Where its wires are listed while they are open. */
  readonly wires?: Set<Wire>;
}

/** What the driver tells the function that makes its sockets. */
interface Place {
  readonly path?: string | false;
  readonly host: readonly string[];
  readonly port: readonly number[];
}

const seconds = (milliseconds: number) => milliseconds / 1000;
/**
 * Until a lost connection is opened again: the database may need a moment, and nobody waits longer for it
 * than for this.
 */
const backoff = (losses: number) => seconds(Math.min(20 * 2 ** Math.min(losses, 10), 500));

export function openClient(connection: Connection, options: ClientOptions): postgres.Sql {
  const { max, parameters = {}, connectSeconds = 3, wires = new Set() } = options;
  const shared = {
    max,
    connect_timeout: connectSeconds,
    backoff,
    fetch_types: false,
    types: parameterTypes,
    onnotice: () => {},
    connection: parameters,
    socket: createSockets(connection, wires),
    // Encryption and signs of life are the wire's.
    ssl: false,
    keep_alive: null,
  } as unknown as postgres.Options<Record<string, never>>;
  return typeof connection === 'string'
    ? postgres(connection, shared)
    : postgres({ ...connection, ...shared } as typeof shared);
}

/** Opens wires, to the next host whenever one could not be opened. */
function createSockets(connection: Connection, wires: Set<Wire>): (place: Place) => Wire | Promise<Wire> {
  const security = typeof connection === 'string' ? securityOf(connection) : undefined;
  let failures = 0;
  const open = ({ path, host, port }: Place) => {
    const turn = failures % host.length;
    const wire = openWire({ path: path || undefined, host: host[turn]!, port: port[turn]! }, security);
    wires.add(wire);
    wire.once('close', () => {
      wires.delete(wire);
      failures = wire.pid === undefined ? failures + 1 : 0;
    });
    return wire;
  };
  return (place) => {
    if (place.host.length === 1 || failures === 0) return open(place);
    return sleep(Math.min(failures * 20, 500)).then(() => open(place));
  };
}
