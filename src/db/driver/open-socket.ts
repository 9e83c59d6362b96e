import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';

/** Where a server listens: a socket file, or a host and a port. */
export interface ServerAddress {
  readonly path?: string | undefined;
  readonly host: string;
  readonly port: number;
}

/** What the URL's `sslmode` (or `ssl`) asks for; undefined: no TLS. */
export interface Security {
  /** Falls back to plain text when the server has no TLS. */
  readonly optional: boolean;
  readonly verify: boolean;
  /** `sslnegotiation=direct`: TLS from the first byte, which PostgreSQL 17 supports. */
  readonly direct: boolean;
}

/**
 * Idle milliseconds before the operating system sends keep-alive probes. It drops the connection after ten
 * seconds without an answer.
 */
const keepAliveMs = 5000;
const sslRequest = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);

/** The server's answer to `sslRequest` when it supports TLS. */
const yes = 'S'.charCodeAt(0);

/**
 * Connects, and calls `ready` with the stream for the protocol's bytes. Without TLS it is called before the
 * connection is open, because a socket buffers early writes. Failures are `error` events of the returned
 * socket or of the stream.
 */
export function openSocket(
  { path, host, port }: ServerAddress,
  security: Security | undefined,
  ready: (stream: Socket) => void,
): Socket {
  const socket = path === undefined ? connectPlain({ host, port }) : connectPlain({ path });
  socket.setKeepAlive(true, keepAliveMs);
  socket.setNoDelay(true);
  if (security === undefined || path !== undefined) {
    ready(socket);
    return socket;
  }
  const secure = () => ready(connectTls(tlsOptions(socket, host, security)));
  if (security.direct) {
    socket.once('connect', secure);
    return socket;
  }
  socket.write(sslRequest);
  socket.once('data', (answer) => {
    if (answer[0] === yes) secure();
    else if (security.optional) ready(socket);
    else socket.destroy(plainError());
  });
  return socket;
}

const plainError = (): Error =>
  Object.assign(new Error('the server does not support TLS, which sslmode requires'), {
    code: 'CONNECTION_PLAIN',
  });

const tlsOptions = (socket: Socket, host: string, { verify, direct }: Security): ConnectionOptions => ({
  socket,
  ...(isIP(host) === 0 ? { servername: host } : {}),
  ...(verify ? {} : { rejectUnauthorized: false }),
  ...(direct ? { ALPNProtocols: ['postgresql'] } : {}),
});

/**
 * Reads `sslmode` (or `ssl`), `sslrootcert` and `sslnegotiation` of a URL. Like in postgres.js and libpq,
 * `require` encrypts without verifying the certificate, and `verify-full` verifies it.
 * @returns undefined for a connection without TLS
 */
export function securityOf(url: string): Security | undefined {
  const parameters = URL.canParse(url) ? new URL(url).searchParams : new URLSearchParams();
  const mode = parameters.get('sslmode') ?? parameters.get('ssl');
  if (mode === null || mode === 'disable' || mode === 'false') return undefined;
  return {
    optional: mode === 'prefer' || mode === 'allow',
    verify: parameters.get('sslrootcert') === 'system' || !/^(require|prefer|allow)$/.test(mode),
    direct: parameters.get('sslnegotiation') === 'direct',
  };
}
