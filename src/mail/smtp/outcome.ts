import type { AttemptPhase } from '../../platform/vocabulary.ts';

/** What became of one recipient in one attempt. */
export interface RecipientVerdict {
  readonly state: 'SENT' | 'DEFERRED' | 'FAILED' | 'OUTCOME_UNKNOWN';
  /** The server's reply, or what went wrong in plain words. */
  readonly reply: string;
  /** RFC 3463, from the reply: `5.1.1`. */
  readonly enhancedCode: string | undefined;
}

/** What became of one attempt. */
export interface AttemptOutcome {
  /** How far it got: BODY when bytes may have gone out, SETTLED when the server answered the whole mail. */
  readonly reached: AttemptPhase;
  readonly reply: string;
  /** By the address as RCPT TO was given it. */
  readonly verdicts: ReadonlyMap<string, RecipientVerdict>;
  /**
   * Nothing was said about this mail: the server could not be reached or spoken to, and will fare no better
   * with the next one.
   */
  readonly serverDown: boolean;
  /** When the first byte was allowed out. */
  readonly bodyAt?: Date | undefined;
  /** Another worker has this delivery by now: nothing was sent and nothing is to be written. */
  readonly fenced: boolean;
}

/** Bytes of a reply that are kept. */
const maxReplyCharacters = 1000;

/** A reply as it may be kept and shown: its line breaks stay, other control characters do not. */
export function cleanReply(reply: string): string {
  return reply
    .replace(/[^\P{Cc}\n]+/gu, ' ')
    .trim()
    .slice(0, maxReplyCharacters);
}

export function enhancedCode(reply: string): string | undefined {
  return /^\d{3}[ -]([245]\.\d{1,3}\.\d{1,3})\b/m.exec(reply)?.[1];
}

/** A reply's verdict: 2xx, 4xx or 5xx; anything that is no reply is worth another try. */
export function verdictOf(reply: string): RecipientVerdict {
  const state = reply.startsWith('2') ? 'SENT' : /^5\d\d\b/.test(reply) ? 'FAILED' : 'DEFERRED';
  return { state, reply: cleanReply(reply), enhancedCode: enhancedCode(reply) };
}

export const unknownVerdict = (reply: string): RecipientVerdict => ({
  state: 'OUTCOME_UNKNOWN',
  reply: cleanReply(reply),
  enhancedCode: undefined,
});
