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
 * The mailbox cannot send: it is disabled, has no server, or its password cannot be decrypted. The message
 * says why, in plain words.
 */
export class MailboxUnusable extends Error {}

/** The connection pools of all mailboxes. Disposing of it closes each pool, as `SmtpPool.close` does. */
export interface MailboxPools extends Disposable {
  /**
   * The pool of a mailbox, created at the first call. When a setting of the mailbox has changed, a new pool
   * is created and the old one is closed. It does not connect.
   * @throws MailboxUnusable
   */
  poolOf(mailbox: SendingMailbox): SmtpPool;
  /** As `SmtpPool.cancelWaiting`, for all pools that exist now. */
  cancelWaiting(): void;
  /** As `SmtpPool.cut`, for all pools that exist now. */
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
  const limits = { ...defaultTimeouts, ...timeouts };

  return {
    poolOf(mailbox) {
      // The password in it is encrypted, as stored.
      const settings = JSON.stringify(mailbox);
      const known = pools.get(mailbox.id);
      if (known?.settings === settings) return known.pool;
      const server = serverOf(mailbox, { smtpUrl, mailboxKey });
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
  if (mailbox.smtpUrl === null || mailbox.smtpPassword === null) return parseSmtpUrl(url);
  if (mailboxKey === undefined)
    throw new MailboxUnusable("The mailbox's password cannot be decrypted: MAILBOX_KEY is not set");
  try {
    return parseSmtpUrl(url, openPassword(mailbox.smtpPassword, mailbox.address, mailboxKey));
  } catch {
    throw new MailboxUnusable(
      "The mailbox's password cannot be decrypted: it was encrypted with another MAILBOX_KEY",
    );
  }
}
