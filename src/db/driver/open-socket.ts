import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import type { DatabaseTls } from '../../settings/database-url.ts';

/** Where a server listens: a socket file, or a host and a port. */
export interface ServerAddress {
  readonly path?: string | undefined;
  readonly host: string;
  readonly port: number;
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
 * Connects to a server, and calls `ready` once with the stream for the protocol's bytes. Without TLS it is
 * called before the connection is open, because a socket buffers early writes; with TLS, before the handshake
 * ends. A socket file never uses TLS. Where TLS is optional and the server does not support it, the stream is
 * the plain socket. Failures of connecting, and a server without the TLS that is required (CONNECTION_PLAIN),
 * are `error` events of the returned socket; then `ready` may never be called. From `ready` on, the caller
 * listens to the stream's `error` events as well, such as a failed handshake.
 * @param tls undefined: no TLS
 * @returns the TCP or Unix socket, which `ready` gets as well when there is no TLS
 */
export function openSocket(
  { path, host, port }: ServerAddress,
  tls: DatabaseTls | undefined,
  ready: (stream: Socket) => void,
): Socket {
  const socket = path === undefined ? connectPlain({ host, port }) : connectPlain({ path });
  socket.setKeepAlive(true, keepAliveMs);
  socket.setNoDelay(true);
  if (tls === undefined || path !== undefined) {
    ready(socket);
    return socket;
  }
  const secure = () => ready(connectTls(tlsOptions(socket, host, tls)));
  if (tls.direct) {
    socket.once('connect', secure);
    return socket;
  }
  socket.write(sslRequest);
  socket.once('data', (answer) => {
    if (answer[0] === yes) secure();
    else if (tls.optional) ready(socket);
    else socket.destroy(plainError());
  });
  return socket;
}

const plainError = (): Error =>
  Object.assign(new Error('the server does not support TLS, which sslmode requires'), {
    code: 'CONNECTION_PLAIN',
  });

const tlsOptions = (socket: Socket, host: string, { verify, direct }: DatabaseTls): ConnectionOptions => ({
  socket,
  ...(isIP(host) === 0 ? { servername: host } : {}),
  ...(verify ? {} : { rejectUnauthorized: false }),
  ...(direct ? { ALPNProtocols: ['postgresql'] } : {}),
});
