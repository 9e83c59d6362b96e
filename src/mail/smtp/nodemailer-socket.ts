import type { Socket } from 'node:net';
import type SMTPConnection from 'nodemailer/lib/smtp-connection';

/**
 * The socket that a connection writes to; undefined when it is gone. nodemailer has no public accessor, and a
 * socket cannot be passed in because STARTTLS replaces it. It is only read, for corking. A test checks that
 * it exists.
 */
export const socketOf = (connection: SMTPConnection): Socket | undefined => connection._socket || undefined;

/**
 * Corks the socket for this turn of the event loop, so that the final dot goes in one write and one TLS
 * record with the last piece.
 */
export function holdBack(connection: SMTPConnection): void {
  const socket = socketOf(connection);
  // The connection may be gone, which it reports itself.
  if (socket === undefined) return;
  socket.cork();
  setImmediate(() => socket.uncork());
}
