import type { AttemptPhase, DeliveryState, EventType, RecipientState } from '../../platform/vocabulary.ts';
import { envelopeAddress } from '../address.ts';
import { type AttemptOutcome, enhancedCode, type RecipientVerdict, verdictOf } from '../smtp/outcome.ts';

/** Milliseconds, as everywhere here. */
const firstBackOff = 60_000;
const longestBackOff = 3_600_000;

/** A recipient with the state that earlier attempts left. */
export interface LedgerRecipient {
  readonly position: number;
  readonly address: string;
  readonly state: RecipientState;
  /** The last reply about this recipient. */
  readonly reply: string | null;
}

/**
 * Everything that one attempt changes, to be written in one commit. `id` is the delivery's, `token` the
 * attempt's.
 */
export interface Settlement {
  readonly id: number;
  readonly token: string;
  /** The delivery's new state. QUEUED: nothing was sent, and it waits again. */
  readonly state: DeliveryState;
  /** Null when nothing is announced. */
  readonly event: EventType | null;
  /** How far the attempt came. */
  readonly phase: AttemptPhase;
  /** The server's last reply in this attempt, or what went wrong, for the list of attempts. */
  readonly reply: string;
  /** Text for operators; null on success. */
  readonly failure: string | null;
  /** When the fence was passed, by the worker's clock; null when it was not. */
  readonly bodyAt: Date | null;
  /** Time of the next attempt; null when there is none. */
  readonly dueAt: Date | null;
  /**
   * The new states of the recipients that had no final outcome yet. `code` is the enhanced code of the reply;
   * null without one.
   */
  readonly recipients: readonly {
    position: number;
    state: RecipientState;
    reply: string | null;
    code: string | null;
  }[];
}

/** A delivery that was attempted. */
export interface Attempted {
  readonly id: number;
  readonly token: string;
  /** Attempts so far, this one included. */
  readonly attempts: number;
  /** A temporary failure from this instant on is final. */
  readonly giveUpAt: Date;
  /** All recipients, those of earlier attempts included. */
  readonly recipients: readonly LedgerRecipient[];
}

/** The recipients of the next attempt: those in the state PENDING or DEFERRED, in the given order. */
export const unsettledRecipients = (recipients: readonly LedgerRecipient[]): readonly LedgerRecipient[] =>
  recipients.filter(({ state }) => state === 'PENDING' || state === 'DEFERRED');

/**
 * Derives from the server's replies what an attempt changes. A pure function. A refusal concerns its
 * recipient alone. A temporary one is retried for that recipient only, until `giveUpAt`, after which it is
 * final. An unknown outcome stops all automatic retries. A mail whose fence could not be passed is due again
 * at once, without an event, also after `giveUpAt`.
 * @param random in [0, 1): spreads the retries of mails that failed together, see `backOff`
 */
export function settlementOf(
  delivery: Attempted,
  outcome: AttemptOutcome,
  now: Date,
  random: number,
): Settlement {
  if (outcome.fenced) return fencedSettlement(delivery, outcome, now);
  const verdictFor = (address: string) => outcome.verdicts.get(envelopeAddress(address)) ?? unaddressed;
  return settledBy(verdictFor, delivery, outcome, now, random);
}

/**
 * The settlement of a mail that the gateway itself could not send. No server was contacted, so it is retried
 * as after a temporary refusal of all its recipients, until `giveUpAt`. It also settles a mail whose
 * recipients are missing.
 * @param reply what went wrong, in plain words
 * @param random as for `settlementOf`
 */
export function faultSettlement(delivery: Attempted, reply: string, now: Date, random: number): Settlement {
  const nobody: LedgerRecipient = { position: 0, address: '', state: 'PENDING', reply: null };
  const recipients = delivery.recipients.length === 0 ? [nobody] : delivery.recipients;
  const verdict = verdictOf(reply);
  return settledBy(() => verdict, { ...delivery, recipients }, { reached: 'CONNECT', reply }, now, random);
}

function settledBy(
  verdictFor: (address: string) => RecipientVerdict,
  delivery: Attempted,
  { reached, reply, bodyAt }: Pick<AttemptOutcome, 'reached' | 'reply' | 'bodyAt'>,
  now: Date,
  random: number,
): Settlement {
  const expired = now >= delivery.giveUpAt;
  const changed = unsettledRecipients(delivery.recipients).map(({ position, address }) => {
    const verdict = verdictFor(address);
    const state = verdict.state === 'DEFERRED' && expired ? 'FAILED' : verdict.state;
    return { position, state, reply: verdict.reply, code: verdict.enhancedCode ?? null };
  });
  const byPosition = new Map(changed.map((one) => [one.position, one]));
  // A recipient that was refused in an earlier attempt still decides the state and explains the failure.
  const all = delivery.recipients.map((one) => byPosition.get(one.position) ?? one);
  const state = stateOf(all.map((one) => one.state));
  const worst = all.find((one) => one.state === worstOf(state)) ?? all.find((one) => one.state === 'FAILED');
  const gaveUp = expired && worst?.state === 'FAILED' && !/^5/.test(worst.reply ?? '');
  return {
    id: delivery.id,
    token: delivery.token,
    state,
    event: `DELIVERY_${state}` as EventType,
    phase: reached,
    reply,
    failure: worst === undefined ? null : `${worst.reply ?? ''}${gaveUp ? ' (given up after 5 days)' : ''}`,
    bodyAt: bodyAt ?? null,
    dueAt: state === 'DEFERRED' ? new Date(now.getTime() + backOff(delivery.attempts, random)) : null,
    recipients: changed,
  };
}

/** The settlement of a mail whose fence failed: it is due again at once, with its recipients as they were. */
function fencedSettlement(delivery: Attempted, outcome: AttemptOutcome, now: Date): Settlement {
  return {
    id: delivery.id,
    token: delivery.token,
    state: 'QUEUED',
    event: null,
    phase: outcome.reached,
    reply: outcome.reply,
    failure: null,
    bodyAt: null,
    dueAt: now,
    recipients: unsettledRecipients(delivery.recipients).map(({ position, state, reply }) => ({
      position,
      state,
      reply,
      code: enhancedCode(reply ?? '') ?? null,
    })),
  };
}

/** What of a mail's message was redacted: all of it, or a file. */
export type RedactedPart = 'MESSAGE' | 'FILE';

/** The words of the ledger for what was redacted, as part of a sentence. */
export const redactionOf: Readonly<Record<RedactedPart, string>> = {
  MESSAGE: 'the message was redacted',
  FILE: 'a file of the message was redacted',
};
/** The text of the ledger for a mail that is not sent because this was redacted. */
export const notSentAsRedacted = (part: RedactedPart): string => `Not sent: ${redactionOf[part]}`;

/**
 * The settlement of a mail that must not be sent, without any contact with a server: CANCELLED if something
 * of it was redacted, else FAILED if it has an infected file. Undefined if it can be sent. An infected file
 * has no name here, because its redaction would have to erase it from each attempt.
 * @param infected the file's position, and what was found in it, as one text; null: no file is infected
 */
export function unsendableSettlement(
  delivery: Attempted,
  { redacted, infected }: { readonly redacted: RedactedPart | null; readonly infected: string | null },
): Settlement | undefined {
  if (redacted !== null) return unsentSettlement(delivery, 'CANCELLED', notSentAsRedacted(redacted));
  if (infected === null) return undefined;
  return unsentSettlement(delivery, 'FAILED', `Not sent: a file is infected: attachment ${infected}`);
}

/** A settlement without any contact with a server. */
function unsentSettlement(delivery: Attempted, state: 'CANCELLED' | 'FAILED', reply: string): Settlement {
  return {
    id: delivery.id,
    token: delivery.token,
    state,
    event: `DELIVERY_${state}`,
    phase: 'CONNECT',
    reply,
    failure: reply,
    bodyAt: null,
    dueAt: null,
    recipients: unsettledRecipients(delivery.recipients).map(({ position }) => ({
      position,
      state,
      reply,
      code: null,
    })),
  };
}

const unaddressed: RecipientVerdict = { state: 'DEFERRED', reply: 'not addressed', enhancedCode: undefined };

/**
 * The state of a delivery by the states of its recipients, when no attempt is running: OUTCOME_UNKNOWN if any
 * recipient has that state; else `waiting` if any is not settled; else CANCELLED if any is cancelled; else
 * SENT if none failed, PARTIALLY_FAILED if some did, and FAILED if all did.
 * @param waiting the state while a recipient has not been sent to yet; DEFERRED by default
 */
export function stateOf<W extends DeliveryState = 'DEFERRED'>(
  recipients: readonly RecipientState[],
  waiting = 'DEFERRED' as W,
): W | 'OUTCOME_UNKNOWN' | 'CANCELLED' | 'SENT' | 'PARTIALLY_FAILED' | 'FAILED' {
  const has = (state: RecipientState) => recipients.includes(state);
  if (has('OUTCOME_UNKNOWN')) return 'OUTCOME_UNKNOWN';
  if (has('DEFERRED') || has('PENDING')) return waiting;
  if (has('CANCELLED')) return 'CANCELLED';
  if (!has('FAILED')) return 'SENT';
  return has('SENT') ? 'PARTIALLY_FAILED' : 'FAILED';
}

function worstOf(state: DeliveryState): RecipientState | undefined {
  if (state === 'OUTCOME_UNKNOWN' || state === 'DEFERRED') return state;
  return state === 'SENT' ? undefined : 'FAILED';
}

/**
 * Milliseconds until the next attempt: `random` times a bound that is one minute after the first attempt,
 * doubles with each further one, and is at most an hour. Never less than a second.
 * @param attempts number of attempts so far, from 1
 * @param random in [0, 1)
 */
export function backOff(attempts: number, random: number): number {
  return Math.max(1000, random * Math.min(longestBackOff, firstBackOff * 2 ** Math.min(attempts - 1, 20)));
}
