import type { AttemptPhase } from '../../platform/vocabulary.ts';
import type { OutgoingMail } from './outgoing-mail.ts';

/** The outcome of one recipient in one attempt. */
export interface RecipientVerdict {
  readonly state: 'SENT' | 'DEFERRED' | 'FAILED' | 'OUTCOME_UNKNOWN';
  /** The server's reply, or what went wrong in plain words. */
  readonly reply: string;
  /** RFC 3463, from the reply: `5.1.1`. */
  readonly enhancedCode: string | undefined;
}

/** The outcome of one attempt. */
export interface AttemptOutcome {
  /**
   * The phase in which the attempt ended. CONNECT and ENVELOPE: no byte of the mail was sent. BODY: bytes may
   * have been sent, and the server did not answer them. SETTLED: the server accepted or refused the mail
   * itself.
   */
  readonly reached: AttemptPhase;
  /** The server's last reply, or what went wrong in plain words. */
  readonly reply: string;
  /** The outcome of each recipient of the attempt, by address in the form for RCPT TO. */
  readonly verdicts: ReadonlyMap<string, RecipientVerdict>;
  /** The server could not be used or did not answer, so other mails of the mailbox would fail as well. */
  readonly serverDown: boolean;
  /**
   * When the fence was committed: bytes may have been sent since. The worker adds it. In its outcomes,
   * undefined means that no byte was sent; `SmtpSession` and `attemptOutcome` never set it.
   */
  readonly bodyAt?: Date | undefined;
  /**
   * The fence could not be passed: the attempt no longer owns its delivery, or the database did not answer.
   * No byte was sent, and the server is not to blame.
   */
  readonly fenced: boolean;
}

/** Most characters of a stored reply. */
const maxReplyCharacters = 1000;

/**
 * A reply as the ledger stores it: trimmed, each run of control characters other than line feeds replaced by
 * a blank, and cut to 1000 characters.
 */
export function cleanReply(reply: string): string {
  return (
    reply
      .replace(/[^\P{Cc}\n]+/gu, ' ')
      .trim()
      .slice(0, maxReplyCharacters)
      // PostgreSQL refuses half a character, and the outcome with it.
      .toWellFormed()
  );
}

/** The first enhanced status code in a reply (RFC 3463), such as `5.1.1`; undefined if there is none. */
export function enhancedCode(reply: string): string | undefined {
  return /^\d{3}[ -]([245]\.\d{1,3}\.\d{1,3})\b/m.exec(reply)?.[1];
}

/**
 * The verdict for a reply: SENT for 2xx, FAILED for 5xx. Anything else is DEFERRED, which is retried: 4xx,
 * and a fault in plain words.
 */
export function verdictOf(reply: string): RecipientVerdict {
  const state = reply.startsWith('2') ? 'SENT' : /^5\d\d\b/.test(reply) ? 'FAILED' : 'DEFERRED';
  return { state, reply: cleanReply(reply), enhancedCode: enhancedCode(reply) };
}

/** The verdict OUTCOME_UNKNOWN, for when the server may have accepted the mail. */
export const unknownVerdict = (reply: string): RecipientVerdict => ({
  state: 'OUTCOME_UNKNOWN',
  reply: cleanReply(reply),
  enhancedCode: undefined,
});

/**
 * Makes the outcome of an attempt that was not stopped by its fence (`fenced` is false).
 * @param verdict called once with each address of the envelope
 * @param serverDown whether other mails to this server would fail as well; false by default
 */
export function attemptOutcome(
  reached: AttemptOutcome['reached'],
  reply: string,
  { envelope }: Pick<OutgoingMail, 'envelope'>,
  verdict: (address: string) => RecipientVerdict,
  serverDown = false,
): AttemptOutcome {
  return {
    reached,
    reply: cleanReply(reply),
    verdicts: new Map(envelope.to.map((address) => [address, verdict(address)])),
    serverDown,
    fenced: false,
  };
}
