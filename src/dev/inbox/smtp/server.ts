import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { Db } from '../../../db/database.ts';
import type { Logger } from '../../../platform/log.ts';
import { addInboxMail } from '../store.ts';
import { FaultAddresses, SmtpReply } from './fault-addresses.ts';
import { type ReceivedMail, serveSession } from './session.ts';

/**
 * The running development inbox. Disposing of it waits until mails that are being stored are stored and
 * acknowledged, and then closes all connections. A mail that arrives meanwhile gets 421, and is not stored.
 */
export interface Inbox extends AsyncDisposable {
  readonly port: number;
  /** `smtp://127.0.0.1:PORT`: loopback only, without TLS and authentication. */
  readonly url: string;
}

/** How the inbox is started. */
export interface InboxOptions {
  /** 0, the default: any free port. */
  readonly port?: number;
  /**
   * Bytes of the largest mail, announced as SIZE and enforced; 64 MiB if absent. A mail is in memory until it
   * is stored.
   */
  readonly maxBytes?: number;
  /** Gets an error when a mail cannot be stored. */
  readonly log?: Logger;
}

const maxClients = 100;
const idleMilliseconds = 10 * 60_000;

/**
 * Starts the development inbox: an SMTP server on 127.0.0.1 that accepts mail to every address and stores it
 * in a table. It replies 250 after the commit, so an accepted mail is stored exactly once. If a mail cannot
 * be stored, it replies 451. Addresses at sandbox.test simulate faults, see FaultAddresses. It serves 100
 * clients at most, and closes connections that are idle for 10 minutes.
 * @throws Error (EADDRINUSE) when the port is taken
 */
export async function startInbox(
  db: Db,
  { port = 0, maxBytes = 64 * 1024 * 1024, log }: InboxOptions = {},
): Promise<Inbox> {
  const faults = new FaultAddresses();
  const clients = new Set<Socket>();
  /** Pending inserts, which are awaited before connections are closed. */
  const storing = new Set<Promise<unknown>>();
  let isEnding = false;

  const server = createServer((socket) => {
    clients.add(socket);
    socket.setTimeout(idleMilliseconds, () => socket.destroy());
    // A client that disconnects early is ignored, as its mail was not accepted.
    socket.on('error', () => {}).on('close', () => clients.delete(socket));
    serveSession(
      socket,
      {
        recipient: (address, sender) => faults.checkRecipient(address, sender),
        cutsBody: (recipients) => faults.atData(recipients) === 'drop-in-data',
        take,
      },
      { maxBytes },
    ).catch(() => socket.destroy());
  });
  server.maxConnections = maxClients;
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const { port: listening } = server.address() as AddressInfo;

  return {
    port: listening,
    url: `smtp://127.0.0.1:${listening}`,
    async [Symbol.asyncDispose]() {
      isEnding = true;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await Promise.allSettled(storing);
      // The last replies are written in the next turn.
      await new Promise(setImmediate);
      for (const socket of clients) socket.destroy();
      await closed;
    },
  };

  async function take(mail: ReceivedMail): Promise<boolean> {
    // Nobody would wait until it is stored.
    if (isEnding) throw new SmtpReply('421 4.3.2 The inbox is ending');
    const fault = faults.atData(mail.rcptTo);
    if (fault === 'reject-data') throw new SmtpReply('554 5.7.1 Content refused (fault address)');
    if (fault === 'defer-data') throw new SmtpReply('451 4.3.0 Try again later (fault address)');
    if (fault === 'hang') await new Promise<never>(() => {});
    const stored = addInboxMail(db, mail);
    storing.add(stored);
    try {
      await stored;
    } catch (error) {
      log?.error({ err: error }, 'the development inbox could not store a mail');
      throw new SmtpReply('451 4.3.0 The inbox cannot store mail now');
    } finally {
      storing.delete(stored);
    }
    return fault === 'drop-after-data';
  }
}
