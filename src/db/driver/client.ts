import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import { securityOf } from './open-socket.ts';
import { parameterTypes } from './parameter-types.ts';
import { openWire, type Wire } from './postgres-socket.ts';
import type { SessionSettings } from './session/session-setup.ts';

/*
 * Works around faults of postgres.js 3.4.9 through its documented options alone. test/db/driver.test.ts
 * shows each fault on the bare driver. It fails once the driver is fixed, and the workaround can be removed.
 *
 * 1. The error that closes a connection is retained, and the first statement of the replacement connection
 *    is rejected with it without being sent. `socket`: the wire withholds such an error from the driver, and
 *    closes the connection with it (protocol-state.ts). A statement's error is passed on together with the
 *    `ReadyForQuery` that follows it.
 * 2. When the server has lost a prepared statement, or its result columns changed, the driver sends it again
 *    and serializes its parameters a second time: `true` becomes `t`, and `t` becomes `f`. `types`: our
 *    serializers are idempotent (parameter-types.ts).
 * 3. Each new connection queries the array types, and a failure goes unnoticed. `fetch_types: false`: our
 *    types are declared.
 * 4. A statement that the server never answers never ends. `socket`: close-silent-connections.ts.
 * 5. A connection that the server closes while it is being opened is reopened immediately and for ever,
 *    while its statement waits. `socket`: the wire reports an error.
 * 6. After many connections are lost together, the next one waits for up to 20 s. `backoff`.
 * 7. When a transaction loses its connection, the driver's own rollback ends the process, or a later
 *    statement runs on the next connection, outside of the transaction. `socket`: the wire stays open for the
 *    driver until the transaction has ended, and fails each of its statements.
 * 8. When a connection is lost in the middle of an answer, the next answer begins with the rows of that one.
 *    `socket`: the wire completes the answer after its statement has failed.
 * 9. When a connection is lost before a small statement is flushed, the next connection is never written to.
 *    `socket`: the wire provokes a flush.
 */

/** Options for postgres.js: a URL, or a socket of the embedded server. */
export type Connection =
  | string
  | { host?: string; path?: string; port: number; user: string; password?: string; database: string };

/** How a client connects. */
export interface ClientOptions {
  /** Maximum number of connections. */
  readonly max: number;
  readonly applicationName?: string;
  /** Run-time parameters of each connection, which are set before its first statement. */
  readonly settings?: SessionSettings;
  /** Time limit for opening a connection; 3 by default. */
  readonly connectSeconds?: number;
  /** Receives the open wires, and loses those that close. */
  readonly wires?: Set<Wire>;
}

/** What the driver passes to the function that creates its sockets. */
interface SocketOptions {
  readonly path?: string | false;
  readonly host: readonly string[];
  readonly port: readonly number[];
}

const seconds = (milliseconds: number) => milliseconds / 1000;
/**
 * Delay before a lost connection is reopened. The database may need a moment, and a caller should not wait
 * longer than that.
 */
const backoff = (losses: number) => seconds(Math.min(20 * 2 ** Math.min(losses, 10), 500));

/** Creates a client of postgres.js with the workarounds above. Connections are opened on demand. */
export function openClient(connection: Connection, options: ClientOptions): postgres.Sql {
  const { max, applicationName, settings, connectSeconds = 3, wires = new Set() } = options;
  const shared = {
    max,
    connect_timeout: connectSeconds,
    backoff,
    fetch_types: false,
    types: parameterTypes,
    onnotice: () => {},
    connection: applicationName === undefined ? {} : { application_name: applicationName },
    socket: createSockets(connection, wires, settings),
    // The wire handles TLS and keep-alive.
    ssl: false,
    keep_alive: null,
  } as unknown as postgres.Options<Record<string, never>>;
  return typeof connection === 'string'
    ? postgres(connection, shared)
    : postgres({ ...connection, ...shared } as typeof shared);
}

/** Opens wires. After a failure the next host of the URL is tried. */
function createSockets(
  connection: Connection,
  wires: Set<Wire>,
  settings: SessionSettings | undefined,
): (options: SocketOptions) => Wire | Promise<Wire> {
  const security = typeof connection === 'string' ? securityOf(connection) : undefined;
  let failures = 0;
  const open = ({ path, host, port }: SocketOptions) => {
    const turn = failures % host.length;
    const address = { path: path || undefined, host: host[turn]!, port: port[turn]! };
    const wire = openWire(address, security, settings);
    wires.add(wire);
    wire.once('close', () => {
      wires.delete(wire);
      failures = wire.pid === undefined ? failures + 1 : 0;
    });
    return wire;
  };
  return (options) => {
    if (options.host.length === 1 || failures === 0) return open(options);
    return sleep(Math.min(failures * 20, 500)).then(() => open(options));
  };
}
