import { createSmtpPool, type SmtpPool } from './pool.ts';
import { openPassword } from './seal-password.ts';
import { defaultTimeouts, parseSmtpUrl, type SmtpServer, type SmtpTimeouts } from './server-settings.ts';

/** The settings of a mailbox for sending. */
export interface SendingMailbox {
  readonly id: number;
  readonly address: string;
  /** URL of its own server; null: the default server. */
  readonly smtpUrl: string | null;
  /** Password for its own server, as `sealPassword` encrypts it; null: that of `smtpUrl`, if there is one. */
  readonly smtpPassword: Uint8Array | null;
  readonly disabled: boolean;
}

/** Settings that all mailboxes share. */
export interface SharedSmtpSettings {
  /** The default server, for mailboxes without their own: `smtp:` or `smtps:`. */
  readonly smtpUrl: string | undefined;
  /** Key that decrypts the passwords of mailboxes, 32 bytes; undefined: MAILBOX_KEY is not set. */
  readonly mailboxKey: Uint8Array | undefined;
  /** Most connections per mailbox, 5 by default. */
  readonly connections?: number;
  /** Instead of those in `defaultTimeouts`. */
  readonly timeouts?: Partial<SmtpTimeouts>;
}

/**
 * The mailbox cannot send: it is disabled, has no server, the URL of its server cannot be read, or its
 * password cannot be decrypted. The message says why, in plain words, and repeats nothing of the URL.
 */
export class MailboxUnusable extends Error {}

/** The connection pools of all mailboxes. Disposing of it closes each pool, as `SmtpPool.close` does. */
export interface MailboxPools extends Disposable {
  /**
   * The pool of a mailbox, created at the first call. When a setting of the mailbox has changed, a new pool
   * is created and the old one is closed. It does not connect. Send by it at once: `cancelWaiting` and `cut`
   * do not reach a pool that was closed before it had a mail.
   * @throws MailboxUnusable
   */
  poolOf(mailbox: SendingMailbox): SmtpPool;
  /** As `SmtpPool.cancelWaiting`, for all pools: closed ones that still have mails, and later ones, too. */
  cancelWaiting(): void;
  /** As `SmtpPool.cut`, for all pools there are: closed ones that still have mails, too. */
  cut(all: boolean): void;
}

/** Creates a connection pool per mailbox, so that a slow server does not delay other mailboxes. */
export function createMailboxPools({
  smtpUrl,
  mailboxKey,
  connections = 5,
  timeouts = {},
}: SharedSmtpSettings): MailboxPools {
  const pools = new Map<number, { settings: string; pool: SmtpPool }>();
  /** Pools of former settings that still had mails when they were last looked at. */
  const closed = new Set<SmtpPool>();
  const limits = { ...defaultTimeouts, ...timeouts };
  let isCancelled = false;

  const every = (): SmtpPool[] => [...closed, ...pools.values().map(({ pool }) => pool)];

  return {
    poolOf(mailbox) {
      // The password in it is encrypted, as stored.
      const settings = JSON.stringify(mailbox);
      const known = pools.get(mailbox.id);
      if (known?.settings === settings) return known.pool;
      const server = serverOf(mailbox, { smtpUrl, mailboxKey });
      known?.pool.close();
      if (known !== undefined) closed.add(known.pool);
      for (const former of closed) if (!former.isBusy) closed.delete(former);
      const pool = createSmtpPool(server, connections, limits);
      if (isCancelled) pool.cancelWaiting();
      pools.set(mailbox.id, { settings, pool });
      return pool;
    },
    cancelWaiting() {
      isCancelled = true;
      for (const pool of every()) pool.cancelWaiting();
    },
    cut(all) {
      for (const pool of every()) pool.cut(all);
    },
    [Symbol.dispose]() {
      for (const { pool } of pools.values()) pool.close();
      pools.clear();
    },
  };
}

/**
 * The server that a mailbox sends by: its own, with the decrypted password, or the default one.
 * @throws MailboxUnusable
 */
export function serverOf(
  mailbox: Omit<SendingMailbox, 'id'>,
  { smtpUrl, mailboxKey }: Pick<SharedSmtpSettings, 'smtpUrl' | 'mailboxKey'>,
): SmtpServer {
  if (mailbox.disabled) throw new MailboxUnusable('The mailbox is disabled');
  const url = mailbox.smtpUrl ?? smtpUrl;
  if (url === undefined) throw new MailboxUnusable('The mailbox has no SMTP settings');
  const password = mailbox.smtpUrl === null ? undefined : passwordOf(mailbox, mailboxKey);
  try {
    return parseSmtpUrl(url, password);
  } catch (error) {
    // Its message quotes the URL.
    if (!(error instanceof TypeError || error instanceof URIError)) throw error;
    throw new MailboxUnusable("The mailbox's SMTP URL cannot be read");
  }
}

function passwordOf(
  { smtpPassword, address }: Omit<SendingMailbox, 'id'>,
  mailboxKey: Uint8Array | undefined,
): string | undefined {
  if (smtpPassword === null) return undefined;
  if (mailboxKey === undefined)
    throw new MailboxUnusable("The mailbox's password cannot be decrypted: MAILBOX_KEY is not set");
  try {
    return openPassword(smtpPassword, address, mailboxKey);
  } catch {
    throw new MailboxUnusable(
      "The mailbox's password cannot be decrypted: it was encrypted with another MAILBOX_KEY",
    );
  }
}
