import type { AttemptOutcome } from './outcome.ts';
import type { OutgoingMail } from './outgoing-mail.ts';
import type { SmtpServer, SmtpTimeouts } from './server-settings.ts';
import { SmtpSession } from './session.ts';
import { failedToConnect } from './smtp-errors.ts';

/** Most mails per connection, as many servers limit them. */
const mailsPerConnection = 100;
/** Milliseconds that an idle connection is kept. Most servers close it after minutes. */
const idleMilliseconds = 20_000;

/**
 * Connections to one server. Each is used for up to 100 mails, one after another, and ended when it has been
 * idle for 20 seconds.
 */
export interface SmtpPool {
  /**
   * Waits until one of the connections may be used, calls `begin` once, opens the connection if necessary,
   * and sends. Mails that wait are sent in the order of the calls. Resolves to undefined, with nothing sent,
   * if `begin` returned false, or the mail was cancelled by `cancelWaiting` or `cut`. A kept connection that
   * the server has closed is replaced by a new one. Any other fault of the server or the connection is an
   * outcome. Rejects only with what `begin` throws; then nothing was sent, and the connection is free.
   */
  send(mail: OutgoingMail, begin?: () => boolean): Promise<AttemptOutcome | undefined>;
  /**
   * The size limit that the server announced on the newest connection, in octets; undefined before the first
   * connection, and when the server announces none.
   */
  readonly sizeLimit: number | undefined;
  /** Whether mails are being sent, or wait for a connection. */
  readonly isBusy: boolean;
  /** Cancels the mails that wait for a connection, and every later one. Mails that have begun go on. */
  cancelWaiting(): void;
  /**
   * Closes connections whose mail has not requested its fence, and cancels those mails. The fence is the
   * commit after which the mail's bytes may be sent. With `all`, closes the others too; their outcome may be
   * unknown.
   */
  cut(all: boolean): void;
  /**
   * Returns immediately. Ends idle connections with QUIT, and busy ones after their mail. Mails that still
   * wait are sent.
   */
  close(): void;
}

/** Creates a pool of at most `connections` connections to one server. */
export function createSmtpPool(server: SmtpServer, connections: number, timeouts: SmtpTimeouts): SmtpPool {
  const idle: { session: SmtpSession; timer: NodeJS.Timeout }[] = [];
  const waiting: ((mayGo: boolean) => void)[] = [];
  const active = new Set<SmtpSession>();
  let busy = 0;
  let closed = false;
  let isCancelled = false;
  let sizeLimit: number | undefined;

  const takeIdle = (): SmtpSession | undefined => {
    for (let entry = idle.pop(); entry !== undefined; entry = idle.pop()) {
      clearTimeout(entry.timer);
      if (entry.session.open) return entry.session;
    }
    return undefined;
  };

  const keep = (session: SmtpSession): void => {
    if (!session.open) return;
    if (closed || session.sent >= mailsPerConnection) {
      session.quit();
      return;
    }
    const entry = { session, timer: setTimeout(() => drop(entry), idleMilliseconds) };
    entry.timer.unref();
    idle.push(entry);
  };

  const drop = (entry: (typeof idle)[number]): void => {
    const at = idle.indexOf(entry);
    if (at >= 0) idle.splice(at, 1);
    entry.session.quit();
  };

  async function sendBy(
    session: SmtpSession | undefined,
    mail: OutgoingMail,
  ): Promise<AttemptOutcome | undefined> {
    const used = session ?? new SmtpSession(server, timeouts);
    active.add(used);
    try {
      return await sendOver(used, session !== undefined, mail);
    } finally {
      active.delete(used);
    }
  }

  async function sendOver(
    used: SmtpSession,
    wasKept: boolean,
    mail: OutgoingMail,
  ): Promise<AttemptOutcome | undefined> {
    if (!wasKept) {
      try {
        await used.connect();
      } catch (error) {
        used.close();
        if (used.wasCut) return undefined;
        return failedToConnect(error, server, mail.envelope);
      }
      sizeLimit = used.sizeLimit;
    }
    const outcome = await used.send(mail);
    if (used.wasCut && !used.mayHaveBegun) return undefined;
    // The server had closed the idle connection (some send 421 first): retry on a new one. Not once the mail
    // has requested its fence, because an attempt passes it once.
    if (wasKept && !used.mayHaveBegun && !used.open) return sendBy(undefined, mail);
    keep(used);
    return outcome;
  }

  return {
    get sizeLimit() {
      return sizeLimit;
    },
    get isBusy() {
      return busy > 0;
    },
    async send(mail, begin = () => true) {
      if (isCancelled) return undefined;
      if (busy < connections) busy += 1;
      else if (!(await new Promise<boolean>((resolve) => waiting.push(resolve)))) return undefined;
      try {
        return begin() ? await sendBy(takeIdle(), mail) : undefined;
      } finally {
        // The slot goes directly to the next waiter, so that no newer mail can take it.
        const next = waiting.shift();
        if (next) next(true);
        else busy -= 1;
      }
    },
    cancelWaiting() {
      isCancelled = true;
      for (const cancelWaiting of waiting.splice(0)) cancelWaiting(false);
    },
    cut(all) {
      for (const session of active) if (all || !session.mayHaveBegun) session.cut();
    },
    close() {
      closed = true;
      for (const entry of idle.splice(0)) {
        clearTimeout(entry.timer);
        entry.session.quit();
      }
    },
  };
}
