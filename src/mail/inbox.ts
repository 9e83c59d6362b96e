import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server';
import type { Db } from '../db/database.ts';
import type { Logger } from '../log.ts';
import { FaultAddresses, SmtpReply } from './inbox-faults.ts';
import { addInboxMail } from './inbox-store.ts';

export interface Inbox extends AsyncDisposable {
  readonly port: number;
  /** `smtp://127.0.0.1:PORT`: no TLS, no sign-in, this machine only. */
  readonly url: string;
}

export interface InboxOptions {
  /** Any free port unless given. */
  readonly port?: number;
  /** Largest mail, announced as SIZE and kept to; a mail is held in memory while it is stored. */
  readonly maxBytes?: number;
  readonly log?: Logger;
}

/** What smtp-server's connections have at run time: its hooks are not given the socket. */
interface Connection {
  readonly session: SMTPServerSession;
  readonly _socket: Socket;
}

/**
 * The development inbox: a real SMTP server that takes mail for everybody and delivers it to a table. Its 250 comes after the
 * commit, so what it accepted is there, once, whatever happens next. Addresses at sandbox.test misbehave: see FaultAddresses.
 */
export async function startInbox(
  db: Db,
  { port = 0, maxBytes = 64 * 1024 * 1024, log }: InboxOptions = {},
): Promise<Inbox> {
  const faults = new FaultAddresses();
  /** Mails that are being stored: to be waited for before connections are closed. */
  const storing = new Set<Promise<unknown>>();

  const server = new SMTPServer({
    name: 'inbox.ticketwire.test',
    banner: 'Ticketwire development inbox',
    size: maxBytes,
    disabledCommands: ['AUTH', 'STARTTLS'],
    authOptional: true,
    disableReverseLookup: true,
    // Our replies carry their own enhanced codes.
    hideENHANCEDSTATUSCODES: true,
    logger: false,
    maxClients: 100,
    socketTimeout: 10 * 60_000,
    closeTimeout: 100,
    onRcptTo({ address }, { envelope: { mailFrom } }, done) {
      faults.meet(address, mailFrom === false ? '' : mailFrom.address).then(() => done(), done);
    },
    onData(stream, session, done) {
      take(stream, session).then(() => done(), done);
    },
  });
  // A client that goes away in the middle is no event of ours: its mail was not accepted.
  server.on('error', () => {});
  server.listen(port, '127.0.0.1');
  await once(server.server, 'listening');
  const { port: listening } = server.server.address() as AddressInfo;

  return {
    port: listening,
    url: `smtp://127.0.0.1:${listening}`,
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await Promise.allSettled(storing);
      await closed;
      for (const { _socket } of server.connections as Set<Connection>) _socket.destroy();
    },
  };

  async function take(stream: SMTPServerDataStream, session: SMTPServerSession): Promise<void> {
    const { mailFrom } = session.envelope;
    const rcptTo = session.envelope.rcptTo.map(({ address }) => address);
    const fault = faults.atData(rcptTo);
    // After the 354, which is written once this hook has been called.
    if (fault === 'drop-in-data') setImmediate(() => cut(session));
    const source = await readAll(stream);
    if (fault === 'reject-data') throw new SmtpReply('554 5.7.1 Content refused (fault address)');
    if (fault === 'defer-data') throw new SmtpReply('451 4.3.0 Try again later (fault address)');
    if (fault === 'hang') await new Promise<never>(() => {});
    const stored = addInboxMail(db, { mailFrom: mailFrom === false ? '' : mailFrom.address, rcptTo, source });
    storing.add(stored);
    try {
      await stored;
    } catch (error) {
      log?.error({ err: error }, 'The development inbox could not store a mail');
      throw new SmtpReply('451 4.3.0 The inbox cannot store mail now');
    } finally {
      storing.delete(stored);
    }
    if (fault === 'drop-after-data') cut(session);
  }

  function cut(session: SMTPServerSession): void {
    for (const connection of server.connections as Set<Connection>) {
      if (connection.session.id === session.id) connection._socket.destroy();
    }
  }
}

/** @throws SmtpReply when it is larger than was announced (smtp-server itself would accept it), or an error when it is cut off */
async function readAll(stream: SMTPServerDataStream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  // To its end in any case: the reply belongs after the final dot.
  for await (const chunk of stream) if (!stream.sizeExceeded) chunks.push(chunk as Buffer);
  if (stream.sizeExceeded) throw new SmtpReply('552 5.3.4 The mail is larger than the announced SIZE');
  return Buffer.concat(chunks);
}
