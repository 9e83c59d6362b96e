import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import { type DatabaseTls, readDatabaseUrl } from '../../settings/database-url.ts';
import { parameterTypes, refused } from './parameter-types.ts';
import { openWire, type Wire } from './postgres-socket.ts';
import type { SessionSettings } from './session/session-setup.ts';

/*
 * Works around faults of postgres.js 3.4.9 through its public members alone. test/db/driver.test.ts
 * shows each fault on the bare driver (`npm run test:soak`). It fails once the driver is fixed, and the
 * workaround can be removed.
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
 * 4. A statement that the server never answers never ends. `openPools`: close-silent-connections.ts.
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
 * 10. `end` waits for a connection that was lost during a statement until its time limit. `endClient`.
 * 11. When a statement is cancelled while it waits behind another one on its connection, each later statement
 *    there gets the answer of the one before. When it waits for its connection to be opened, the connection
 *    is never used. `withDeadline` does not cancel (deadline.ts).
 * 12. When a parameter cannot be written, as `undefined` and an invalid Date cannot, the error may reach
 *    another statement on the connection, and each later one gets the answer of the one before. `transform`,
 *    `types`: the server refuses the parameter.
 * 13. When a socket drains between two statements of a transaction, other callers' statements run within the
 *    transaction. The driver uses a connection again after each answer anyway. `socket`: no wire emits
 *    `drain`.
 */

/** Where and as whom to connect: a URL, or the socket of the embedded server. */
export type Connection =
  | string
  | { host?: string; path?: string; port: number; user: string; password?: string; database: string };

/** How a client connects. */
export interface ClientOptions {
  /** Maximum number of connections. */
  readonly max: number;
  /** `application_name`; by default the URL's. */
  readonly applicationName?: string;
  /** Run-time parameters of each connection, which are set before its first statement. */
  readonly settings?: SessionSettings;
  /** Seconds to open a connection; by default the URL's `connect_timeout`, or else 3. */
  readonly connectSeconds?: number;
  /**
   * Whether statements are prepared under names, so that each is parsed once; true if absent. Through a
   * pooler that shares sessions, a transaction may be on another one, which does not know the name.
   */
  readonly prepare?: boolean;
  /** The set to which each wire is added when it is opened, and from which it is removed when it closes. */
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

/**
 * Creates a client of postgres.js that works around the faults of the driver which are listed in this file,
 * except two: it does not close silent connections (`openPools` does), and the caller ends it with
 * `endClient`. Connections are opened on demand, so this throws only for a URL that is not valid. The
 * server's notices are ignored.
 */
export function openClient(connection: Connection, options: ClientOptions): postgres.Sql {
  const { place, tls, session, connectSeconds = 3 } = placeOf(connection);
  const { max, applicationName, settings, wires = new Set() } = options;
  const all = {
    ...place,
    max,
    prepare: options.prepare ?? true,
    connect_timeout: options.connectSeconds ?? connectSeconds,
    backoff,
    fetch_types: false,
    types: parameterTypes,
    transform: { undefined: refused },
    onnotice: () => {},
    connection: {
      ...(applicationName === undefined ? {} : { application_name: applicationName }),
      ...session,
    },
    socket: createSockets(tls, wires, settings),
    // The wire handles TLS and keep-alive.
    ssl: false,
    keep_alive: null,
  };
  return postgres(all as unknown as postgres.Options<Record<string, never>>);
}

/**
 * Ends a client: new statements are refused, and its connections are closed when the statements under way are
 * done. After `withinMs` these are closed all the same, and their statements fail.
 * @param isInUse whether a connection is open, or a statement waits for one
 * @param withinMs milliseconds
 */
export async function endClient(
  client: postgres.Sql,
  isInUse: () => boolean,
  withinMs = 5000,
): Promise<void> {
  let isOver = false;
  const ending = client.end({ timeout: withinMs / 1000 }).then(() => (isOver = true));
  const unused = async () => {
    do await sleep(10);
    while (!isOver && isInUse());
  };
  await Promise.race([ending, unused()]);
}

/**
 * Runs `run` with a client of one connection, and ends the client when `run` has settled.
 * @returns what `run` returns
 * @throws what `run` throws; Error for a URL that is not valid, before `run` is called
 */
export async function withClient<T>(
  connection: Connection,
  options: Omit<ClientOptions, 'max' | 'wires'>,
  run: (client: postgres.Sql) => Promise<T>,
): Promise<T> {
  const wires = new Set<Wire>();
  const client = openClient(connection, { ...options, max: 1, wires });
  try {
    return await run(client);
  } finally {
    await endClient(client, () => wires.size > 0);
  }
}

interface DriverPlace {
  /** Options of the driver. */
  readonly place: object;
  readonly tls?: DatabaseTls | undefined;
  readonly session?: Readonly<Record<string, string>>;
  readonly connectSeconds?: number | undefined;
}

/**
 * The driver is given no URL: its parser passes each parameter that it does not know on to the server. It
 * cuts a host at its first colon, unless it is in a list.
 */
function placeOf(connection: Connection): DriverPlace {
  if (typeof connection !== 'string') return { place: connection };
  const { tls, session, connectSeconds, host, port, ...place } = readDatabaseUrl(connection);
  const server = host === undefined ? {} : { host: [host], port: [port] };
  return { place: { ...place, ...server }, tls, session, connectSeconds };
}

/** Creates the function that opens a wire for the driver. */
const createSockets =
  (tls: DatabaseTls | undefined, wires: Set<Wire>, settings: SessionSettings | undefined) =>
  ({ path, host, port }: SocketOptions): Wire => {
    const address = { path: path || undefined, host: host[0]!, port: port[0]! };
    const wire = openWire(address, tls, settings);
    wires.add(wire);
    wire.once('close', () => wires.delete(wire));
    return wire;
  };
