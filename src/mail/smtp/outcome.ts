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
   * The phase reached: BODY when bytes may have been sent, SETTLED when the server answered the whole mail.
   */
  readonly reached: AttemptPhase;
  readonly reply: string;
  /** By address in the form for RCPT TO. */
  readonly verdicts: ReadonlyMap<string, RecipientVerdict>;
  /** The server could not be reached or did not answer, so other mails would fail as well. */
  readonly serverDown: boolean;
  /** When the fence was committed: bytes may have been sent since. Absent: none was sent. */
  readonly bodyAt?: Date | undefined;
  /**
   * The fence could not be passed: the attempt no longer owns its delivery, or the database did not answer.
   * No byte was sent, and the server is not to blame.
   */
  readonly fenced: boolean;
}

/** Most characters of a stored reply. */
const maxReplyCharacters = 1000;

/** A reply without control characters other than line breaks, cut to the stored length. */
export function cleanReply(reply: string): string {
  return reply
    .replace(/[^\P{Cc}\n]+/gu, ' ')
    .trim()
    .slice(0, maxReplyCharacters);
}

/** The enhanced status code in a reply (RFC 3463), such as `5.1.1`; undefined if there is none. */
export function enhancedCode(reply: string): string | undefined {
  return /^\d{3}[ -]([245]\.\d{1,3}\.\d{1,3})\b/m.exec(reply)?.[1];
}

/** The verdict for a reply: 2xx, 4xx or 5xx. Anything else is retried. */
export function verdictOf(reply: string): RecipientVerdict {
  const state = reply.startsWith('2') ? 'SENT' : /^5\d\d\b/.test(reply) ? 'FAILED' : 'DEFERRED';
  return { state, reply: cleanReply(reply), enhancedCode: enhancedCode(reply) };
}

/** The verdict when the server may have accepted the mail. */
export const unknownVerdict = (reply: string): RecipientVerdict => ({
  state: 'OUTCOME_UNKNOWN',
  reply: cleanReply(reply),
  enhancedCode: undefined,
});

/**
 * Makes the outcome of an attempt.
 * @param verdict the outcome of the recipient with this address
 * @param serverDown whether other mails to this server would fail as well
 */
export function outcomeOf(
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
