import type { Outcome } from './outcome.ts';
import { SmtpSession } from './session.ts';
import type { SmtpServer, SmtpTimeouts, Transmission } from './smtp.ts';
import { failedToConnect } from './smtp-faults.ts';

/** Mails by one connection: servers tire of endless ones. */
const mailsPerConnection = 100;
/** Milliseconds that a connection waits for its next mail; most servers give up after minutes. */
const idleMilliseconds = 20_000;

export interface SmtpPool {
  /** Sends when a connection is free; never rejects. `begin` is called when its turn has come: `false` calls it off. */
  send(mail: Transmission, begin?: () => boolean): Promise<Outcome | undefined>;
  /** Octets that the server last said it takes at most. */
  readonly sizeLimit: number | undefined;
  /** Ends idle connections politely; mails in flight end first. */
  close(): void;
}

/** At most so many connections to one server, each kept for the next mail. */
export function createSmtpPool(server: SmtpServer, connections: number, timeouts: SmtpTimeouts): SmtpPool {
  const idle: { session: SmtpSession; timer: NodeJS.Timeout }[] = [];
  const waiting: (() => void)[] = [];
  let busy = 0;
  let closed = false;
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

  async function sendBy(session: SmtpSession | undefined, mail: Transmission): Promise<Outcome> {
    const used = session ?? new SmtpSession(server, timeouts);
    if (session === undefined) {
      try {
        await used.connect();
      } catch (error) {
        used.close();
        return failedToConnect(error, mail.envelope);
      }
      sizeLimit = used.sizeLimit;
    }
    const outcome = await used.send(mail);
    // A kept connection that the server closed meanwhile (some say 421 first) says nothing of the mail: no byte of it went out.
    if (session !== undefined && outcome.reached === 'ENVELOPE' && !used.open && !outcome.fenced)
      return sendBy(undefined, mail);
    keep(used);
    return outcome;
  }

  return {
    get sizeLimit() {
      return sizeLimit;
    },
    async send(mail, begin = () => true) {
      if (busy >= connections) await new Promise<void>((resolve) => waiting.push(resolve));
      else busy += 1;
      try {
        return begin() ? await sendBy(takeIdle(), mail) : undefined;
      } finally {
        // The place is handed on, not given up, so that nobody slips in between.
        const next = waiting.shift();
        if (next) next();
        else busy -= 1;
      }
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
