import type { Socket } from 'node:net';
import type SMTPConnection from 'nodemailer/lib/smtp-connection';

/**
 * The socket that a connection writes to; undefined when it is gone. nodemailer has no public accessor, and a
 * socket cannot be passed in because STARTTLS replaces it. It is only read, for corking. A test checks that
 * it exists.
 */
export const socketOf = (connection: SMTPConnection): Socket | undefined => connection._socket || undefined;
