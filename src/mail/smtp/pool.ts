import { failedToConnect } from './faults.ts';
import type { AttemptOutcome } from './outcome.ts';
import { SmtpSession } from './session.ts';
import type { SmtpServer, SmtpTimeouts, Transmission } from './transmission.ts';

/** Mails by one connection: servers tire of endless ones. */
const mailsPerConnection = 100;
/** Milliseconds that a connection waits for its next mail; most servers give up after minutes. */
const idleMilliseconds = 20_000;

export interface SmtpPool {
  /**
   * Sends when a connection is free; never rejects. `begin` is called when its turn has come: `false` calls
   * it off.
   */
  send(mail: Transmission, begin?: () => boolean): Promise<AttemptOutcome | undefined>;
  /** Octets that the server last said it takes at most. */
  readonly sizeLimit: number | undefined;
  /** Calls off what waits for a connection, now and from now on. */
  callOff(): void;
  /**
   * Drops connections whose mail has not come to its first byte, and calls those mails off; `all`: the others
   * as well, whose outcome is then what it is.
   */
  cut(all: boolean): void;
  /** Ends idle connections politely; mails in flight end first. */
  close(): void;
}

/** At most so many connections to one server, each kept for the next mail. */
export function createSmtpPool(server: SmtpServer, connections: number, timeouts: SmtpTimeouts): SmtpPool {
  const idle: { session: SmtpSession; timer: NodeJS.Timeout }[] = [];
  const waiting: ((mayGo: boolean) => void)[] = [];
  const active = new Set<SmtpSession>();
  let busy = 0;
  let closed = false;
  let calledOff = false;
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
    mail: Transmission,
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
    mail: Transmission,
  ): Promise<AttemptOutcome | undefined> {
    if (!wasKept) {
      try {
        await used.connect();
      } catch (error) {
        used.close();
        if (used.wasCut) return undefined;
        return failedToConnect(error, mail.envelope);
      }
      sizeLimit = used.sizeLimit;
    }
    const outcome = await used.send(mail);
    if (used.wasCut && !used.mayHaveBegun) return undefined;
    // A kept connection that the server closed meanwhile (some say 421 first) says nothing of the mail: no
    // byte of it went out.
    if (wasKept && outcome.reached === 'ENVELOPE' && !used.open && !outcome.fenced)
      return sendBy(undefined, mail);
    keep(used);
    return outcome;
  }

  return {
    get sizeLimit() {
      return sizeLimit;
    },
    async send(mail, begin = () => true) {
      if (calledOff) return undefined;
      if (busy < connections) busy += 1;
      else if (!(await new Promise<boolean>((resolve) => waiting.push(resolve)))) return undefined;
      try {
        return begin() ? await sendBy(takeIdle(), mail) : undefined;
      } finally {
        // The place is handed on, not given up, so that nobody slips in between.
        const next = waiting.shift();
        if (next) next(true);
        else busy -= 1;
      }
    },
    callOff() {
      calledOff = true;
      for (const callOff of waiting.splice(0)) callOff(false);
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
