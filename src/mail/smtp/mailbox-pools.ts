import { createSmtpPool, type SmtpPool } from './pool.ts';
import { openPassword } from './seal-password.ts';
import { defaultTimeouts, parseSmtpUrl, type SmtpServer, type SmtpTimeouts } from './server-settings.ts';

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
export interface SharedSmtpSettings {
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
export interface MailboxPools extends Disposable {
  /**
   * The pool of a mailbox. When its settings have changed, a new one is created and the old one is closed.
   * @throws MailboxUnusable
   */
  poolOf(mailbox: SendingMailbox): SmtpPool;
  /** As `SmtpPool.cancelWaiting`, for all pools. */
  cancelWaiting(): void;
  /** As `SmtpPool.cut`, for all pools. */
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
 * The server of a mailbox, with its decrypted password.
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
