import { createHash } from 'node:crypto';
import { createSmtpPool, type SmtpPool } from './pool.ts';
import { openPassword } from './seal-password.ts';
import { defaultTimeouts, type SmtpServer, type SmtpTimeouts } from './server-settings.ts';

/** The settings of a mailbox for sending. */
export interface SendingMailbox {
  readonly id: number;
  readonly address: string;
  /** Its own server; null for the default one. */
  readonly smtpUrl: string | null;
  /** Encrypted; see `sealPassword`. */
  readonly smtpPassword: Uint8Array | null;
  readonly disabled: boolean;
}

/** Settings that all mailboxes share. */
export interface TransportOptions {
  /** The default server, for mailboxes without their own: `smtp:` or `smtps:`. */
  readonly smtpUrl: string | undefined;
  /** Decrypts the passwords of mailboxes. */
  readonly mailboxKey: Uint8Array | undefined;
  /** Most connections per mailbox. */
  readonly connections?: number;
  readonly timeouts?: Partial<SmtpTimeouts>;
}

/** The mailbox cannot send, in plain words. */
export class MailboxUnusable extends Error {}

/** The connections of all mailboxes. */
export interface Transport extends Disposable {
  /**
   * The pool of a mailbox. A new one is created when its settings have changed.
   * @throws MailboxUnusable
   */
  poolOf(mailbox: SendingMailbox): SmtpPool;
  /** As `SmtpPool.cancelWaiting`, for all pools. */
  cancelWaiting(): void;
  /** As `SmtpPool.cut`, for all pools. */
  cut(all: boolean): void;
}

/** Creates a connection pool per mailbox, so that a slow server does not delay other mailboxes. */
export function createTransport({
  smtpUrl,
  mailboxKey,
  connections = 5,
  timeouts = {},
}: TransportOptions): Transport {
  const pools = new Map<number, { settings: string; pool: SmtpPool }>();
  const limits = { ...defaultTimeouts, ...timeouts };

  return {
    poolOf(mailbox) {
      const server = serverOf(mailbox, { smtpUrl, mailboxKey });
      const settings = createHash('sha256').update(JSON.stringify(server)).digest('hex');
      const known = pools.get(mailbox.id);
      if (known?.settings === settings) return known.pool;
      known?.pool.close();
      const pool = createSmtpPool(server, connections, limits);
      pools.set(mailbox.id, { settings, pool });
      return pool;
    },
    cancelWaiting() {
      for (const { pool } of pools.values()) pool.cancelWaiting();
    },
    cut(all) {
      for (const { pool } of pools.values()) pool.cut(all);
    },
    [Symbol.dispose]() {
      for (const { pool } of pools.values()) pool.close();
      pools.clear();
    },
  };
}

/**
 * The server of a mailbox, with its decrypted password.
 * @throws MailboxUnusable
 */
export function serverOf(
  mailbox: Omit<SendingMailbox, 'id'>,
  { smtpUrl, mailboxKey }: Pick<TransportOptions, 'smtpUrl' | 'mailboxKey'>,
): SmtpServer {
  if (mailbox.disabled) throw new MailboxUnusable('The mailbox is disabled');
  const url = mailbox.smtpUrl ?? smtpUrl;
  if (url === undefined) throw new MailboxUnusable('The mailbox has no SMTP settings');
  if (mailbox.smtpUrl === null || mailbox.smtpPassword === null) return smtpServer(url);
  if (mailboxKey === undefined)
    throw new MailboxUnusable("The mailbox's password cannot be opened: MAILBOX_KEY is not set");
  try {
    return smtpServer(url, openPassword(mailbox.smtpPassword, mailbox.address, mailboxKey));
  } catch {
    throw new MailboxUnusable("The mailbox's password cannot be opened: MAILBOX_KEY is another one");
  }
}

/**
 * Parses `smtp://user:password@host:port` (default port 587, or 25 without a user) or `smtps://…` (465). A
 * login is sent over TLS only, unless the server is this machine; `?tls=require`, `?tls=offer` and
 * `?tls=never` override that. Certificates are always verified.
 * @param password used instead of one in the URL
 */
export function smtpServer(url: string, password?: string): SmtpServer {
  const { protocol, hostname, port, username, password: inUrl, searchParams } = new URL(url);
  const secure = protocol === 'smtps:';
  const user = username === '' ? undefined : decodeURIComponent(username);
  const host = hostname.replace(/^\[|\]$/g, '');
  const wish = searchParams.get('tls');
  const local = host === 'localhost' || host === '::1' || host.startsWith('127.');
  return {
    host,
    port: port !== '' ? Number(port) : secure ? 465 : user === undefined ? 25 : 587,
    secure,
    startTls:
      wish === 'require' || wish === 'never' || wish === 'offer'
        ? wish
        : user !== undefined && !local
          ? 'require'
          : 'offer',
    user,
    password: password ?? (inUrl === '' ? undefined : decodeURIComponent(inUrl)),
  };
}
