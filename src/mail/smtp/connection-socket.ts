import type { Socket } from 'node:net';
import type SMTPConnection from 'nodemailer/lib/smtp-connection';

/**
 * The socket that a connection writes to now; undefined when it is gone. It has no public name, and none can
 * be handed in: STARTTLS puts another one in its place. It is read, to write what belongs together at once,
 * and never replaced. A test sees that it is there.
 */
export const socketOf = (connection: SMTPConnection): Socket | undefined => connection._socket || undefined;
