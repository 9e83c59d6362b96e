import { Readable } from 'node:stream';
import SMTPConnection, { type SMTPConnectionEnvelope } from 'nodemailer/lib/smtp-connection';
import type { AttemptPhase } from '../../platform/vocabulary.ts';
import { needsSmtpUtf8 } from '../address.ts';
import { type Extensions, readExtensions } from './extensions.ts';
import {
  type AttemptOutcome,
  attemptOutcome,
  type RecipientVerdict,
  unknownVerdict,
  verdictOf,
} from './outcome.ts';
import type { OutgoingMail } from './outgoing-mail.ts';
import type { SmtpServer, SmtpTimeouts } from './server-settings.ts';
import {
  explainSmtpError,
  Fenced,
  gatewayFaults,
  isRefusal,
  PlainFault,
  type SmtpError,
} from './smtp-errors.ts';

const noSmtpUtf8 = '550 5.6.7 The mail server does not accept addresses with letters beyond ASCII (SMTPUTF8)';

/** An envelope for nodemailer, which notes in it what the server says to each recipient. */
type TrackedEnvelope = SMTPConnection.Envelope &
  Partial<Pick<SMTPConnectionEnvelope, 'accepted' | 'rejectedErrors'>>;

/**
 * One SMTP connection. Call `connect` once, then `send` for one mail after another, then `quit` or `close`.
 */
export class SmtpSession {
  readonly #connection: SMTPConnection;
  readonly #server: SmtpServer;
  readonly #timeouts: SmtpTimeouts;
  #extensions: Extensions = readExtensions(false);
  #fail: (error: Error) => void = () => {};
  /** Number of mails that the server has accepted on this connection. */
  sent = 0;
  #wasCut = false;
  #mayHaveBegun = false;

  constructor(server: SmtpServer, timeouts: SmtpTimeouts) {
    this.#server = server;
    this.#timeouts = timeouts;
    this.#connection = new SMTPConnection({
      host: server.host,
      port: server.port,
      secure: server.secure,
      requireTLS: !server.secure && server.startTls === 'require',
      ignoreTLS: server.startTls === 'never',
      connectionTimeout: timeouts.connect,
      greetingTimeout: timeouts.connect,
      socketTimeout: Math.max(...Object.values(timeouts)) + 1000,
      // An aborted mail is cut off at once, without a polite close of the connection after half a body.
      socketCloseTimeout: 0,
    });
    this.#connection.on('error', (error) => this.#fail(error));
    this.#connection.on('end', () => this.#fail(new Error('The server closed the connection')));
  }

  /** Whether the connection can be used. True before `connect` as well; false once it was closed or lost. */
  get open(): boolean {
    return !this.#connection.destroyed;
  }

  /**
   * Octets of the largest mail that the server accepts (EHLO SIZE); undefined before `connect`, and if the
   * server announces none.
   */
  get sizeLimit(): number | undefined {
    return this.#extensions.sizeLimit;
  }

  /** Whether the session was ended by `cut`. */
  get wasCut(): boolean {
    return this.#wasCut;
  }

  /**
   * Whether the current mail has called `openBody`, after which its bytes may be sent. The value stays until
   * the next mail is sent.
   */
  get mayHaveBegun(): boolean {
    return this.#mayHaveBegun;
  }

  /**
   * Closes the connection immediately. A pending `connect` rejects; a pending `send` resolves with the
   * outcome of a lost connection.
   */
  cut(): void {
    this.#wasCut = true;
    this.#fail(new Error('This process is shutting down'));
    this.close();
  }

  /**
   * Connects, and signs in if the server's settings have a user. Rejects with an SmtpError, also when the
   * time is over; the caller then calls `close`.
   */
  async connect(): Promise<void> {
    const { user, password } = this.#server;
    await this.#within(this.#timeouts.connect, 'to connect and sign in', (done) => {
      this.#connection.connect((error) => {
        // The last reply so far: to EHLO, or to HELO.
        this.#extensions = readExtensions(this.#connection.lastServerResponse);
        if (error || user === undefined) done(error ?? null);
        else this.#connection.login({ user, pass: password ?? '' }, (failed) => done(failed ?? null));
      });
    });
  }

  /**
   * Sends one mail. Never rejects: every fault is in the outcome. Closes the session when its state is unsafe
   * for another mail. A mail that exceeds the announced size, or needs SMTPUTF8 of a server without it, is
   * not sent, and fails with a reply 5xx of ours. If only some recipients need SMTPUTF8, the others get the
   * mail.
   */
  async send(mail: OutgoingMail): Promise<AttemptOutcome> {
    const refused = this.#unfit(mail);
    if (refused !== undefined) return refused;
    const { from, to } = mail.envelope;
    const unreachable = to.filter((address) => !this.#takes(address));
    if (unreachable.length === 0) return this.#sendTo(mail);
    const reachable = to.filter((address) => this.#takes(address));
    if (reachable.length === 0)
      return attemptOutcome('ENVELOPE', noSmtpUtf8, mail, () => verdictOf(noSmtpUtf8));
    const outcome = await this.#sendTo({ ...mail, envelope: { from, to: reachable } });
    const refusals = unreachable.map((address) => [address, verdictOf(noSmtpUtf8)] as const);
    return { ...outcome, verdicts: new Map([...outcome.verdicts, ...refusals]) };
  }

  async #sendTo(mail: OutgoingMail): Promise<AttemptOutcome> {
    const body = { opened: false, ended: false };
    const { from, to } = mail.envelope;
    const envelope: TrackedEnvelope = { from, to: [...to], size: mail.byteSize };
    this.#mayHaveBegun = false;
    try {
      const info = await this.#transmit(mail, envelope, body);
      // A server that accepts before the end may have taken a part of it.
      if (!body.ended)
        return this.#outcomeOf(new Error('accepted before the end of the mail'), mail, envelope, {
          opened: true,
          ended: true,
        });
      this.sent += 1;
      const refused = this.#refusals(envelope);
      const accepted = verdictOf(info.response);
      return attemptOutcome('SETTLED', info.response, mail, (address) => refused.get(address) ?? accepted);
    } catch (error) {
      return this.#outcomeOf(error as SmtpError, mail, envelope, body);
    }
  }

  /**
   * What the server said to each recipient that it refused by itself, whatever became of the mail. Empty if
   * it took none and went no further: after a refused sender, a server refuses each recipient for that.
   */
  #refusals({ accepted, rejectedErrors }: TrackedEnvelope, error?: SmtpError): Map<string, RecipientVerdict> {
    const taken = (accepted ?? []).length > 0;
    const refusals: readonly SmtpError[] = (taken ? rejectedErrors : error?.rejectedErrors) ?? [];
    return new Map(
      refusals.map((one) => [one.recipient ?? '', verdictOf(explainSmtpError(one, this.#server.secure))]),
    );
  }

  /**
   * Returns immediately. Ends the session with QUIT, and closes the connection a second later at the latest.
   */
  quit(): void {
    if (!this.open) return;
    this.#connection.quit();
    setTimeout(() => this.close(), 1000).unref();
  }

  /** Closes the connection immediately, without QUIT. */
  close(): void {
    this.#connection.close();
  }

  /** Whether the server takes the address. Non-ASCII local parts need SMTPUTF8 (RFC 6531 §3.2). */
  #takes(address: string): boolean {
    return !needsSmtpUtf8(address) || this.#extensions.smtpUtf8;
  }

  /** The outcome for a mail that the server's announced limits exclude, without sending it. */
  #unfit({ hasUtf8Headers, byteSize, envelope }: OutgoingMail): AttemptOutcome | undefined {
    const reply = (text: string) => attemptOutcome('ENVELOPE', text, { envelope }, () => verdictOf(text));
    if (hasUtf8Headers && !this.#extensions.smtpUtf8) return reply(noSmtpUtf8);
    if (this.sizeLimit !== undefined && byteSize > this.sizeLimit)
      return reply(
        `552 5.3.4 The mail has ${byteSize} octets, and the mail server accepts ${this.sizeLimit} at most`,
      );
    return undefined;
  }

  #transmit(
    mail: OutgoingMail,
    envelope: TrackedEnvelope,
    body: { opened: boolean; ended: boolean },
  ): Promise<SMTPConnection.SentMessageInfo> {
    return this.#within(this.#timeouts.envelope, 'to take the envelope', (done, extend, isOver) => {
      const gated = async function* (this: SmtpSession) {
        const answer = String(this.#connection.lastServerResponse);
        // nodemailer goes on after 250 as well. Such a server takes the lines of the mail for commands.
        if (!answer.startsWith('354')) throw new PlainFault(`The mail server answers DATA with ${answer}`);
        this.#mayHaveBegun = true;
        const isOurs = await mail.openBody().catch((cause) => {
          throw new Fenced('The database did not record the attempt', { cause });
        });
        if (!isOurs || isOver()) throw new Fenced('The lease expired, or another worker took over');
        body.opened = true;
        try {
          for await (const piece of mail.bytes()) {
            extend(this.#timeouts.bodyStall, 'to take the body');
            yield piece;
          }
        } catch (cause) {
          throw new PlainFault(gatewayFaults.unreadableFile, { cause });
        }
        // nodemailer may write the final dot from now on.
        body.ended = true;
        extend(this.#timeouts.final, 'to answer the whole mail');
      };
      this.#connection.send(envelope, Readable.from(gated.call(this), { objectMode: false }), (error, info) =>
        done(error ?? null, info),
      );
    });
  }

  #outcomeOf(
    error: SmtpError,
    mail: OutgoingMail,
    envelope: TrackedEnvelope,
    body: { opened: boolean; ended: boolean },
  ): AttemptOutcome {
    const reply = error.response ?? '';
    // Another reply than a refusal means that the server answers out of step.
    const refused = isRefusal(error);
    // After a refusal the session stays usable, unless the server waits for the rest of a body.
    const isWhole = !this.#mayHaveBegun || body.ended;
    if (refused && error.responseCode !== 421 && isWhole && this.open) this.#reset();
    else this.close();
    if (error instanceof Fenced)
      return {
        ...attemptOutcome('ENVELOPE', error.message, mail, () => verdictOf(error.message)),
        fenced: true,
      };
    const refusals = this.#refusals(envelope, error);
    const outcome = (reached: AttemptPhase, words: string, verdict: RecipientVerdict, serverDown = false) =>
      attemptOutcome(reached, words, mail, (address) => refusals.get(address) ?? verdict, serverDown);
    if (refused) return outcome(body.opened ? 'SETTLED' : 'ENVELOPE', reply, verdictOf(reply));
    const words = error instanceof PlainFault ? error.message : explainSmtpError(error, this.#server.secure);
    if (body.ended) return outcome('BODY', words, unknownVerdict(words));
    return outcome(body.opened ? 'BODY' : 'ENVELOPE', words, verdictOf(words), !body.opened);
  }

  #reset(): void {
    this.#connection.reset((error) => {
      if (error) this.close();
    });
  }

  /** Runs one step with a timeout. A connection fault ends the step too. */
  #within<T = void>(
    milliseconds: number,
    what: string,
    step: (
      done: (error: Error | null, value?: T) => void,
      extend: (milliseconds: number, what: string) => void,
      isOver: () => boolean,
    ) => void,
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      let timer: NodeJS.Timeout;
      let over = false;
      const settle = (error: Error | null, value?: T) => {
        if (over) return;
        over = true;
        clearTimeout(timer);
        this.#fail = () => {};
        if (error) reject(error);
        else resolve(value as T);
      };
      const extend = (limit: number, doing: string) => {
        clearTimeout(timer);
        if (over) return;
        timer = setTimeout(() => {
          settle(new Error(`The mail server took more than ${limit / 1000} s ${doing}`));
          this.close();
        }, limit);
      };
      // nodemailer calls the step's callback shortly after its listeners. The callback has more detail, so
      // wait for it.
      this.#fail = (error) => setImmediate(settle, error);
      extend(milliseconds, what);
      step(settle, extend, () => over);
    });
  }
}
