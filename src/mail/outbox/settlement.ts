import type { AttemptPhase, DeliveryState, EventType, RecipientState } from '../../platform/vocabulary.ts';
import { envelopeAddress } from '../address.ts';
import type { AttemptOutcome, RecipientVerdict } from '../smtp/outcome.ts';

/** Milliseconds, as everywhere here. */
const firstBackOff = 60_000;
const longestBackOff = 3_600_000;

export interface LedgerRecipient {
  readonly position: number;
  readonly address: string;
  readonly state: RecipientState;
  /** What was last said about them. */
  readonly reply: string | null;
}

/** What one attempt changes, to be written in one commit. */
export interface Settlement {
  readonly id: number;
  readonly token: string;
  readonly state: DeliveryState;
  readonly event: EventType;
  readonly phase: AttemptPhase;
  readonly reply: string;
  /** What the operator is told; null when all went well. */
  readonly failure: string | null;
  /** When the first byte was allowed out, by the worker's clock; null: it never was. */
  readonly bodyAt: Date | null;
  /** Not before this instant; null: never again by itself. */
  readonly dueAt: Date | null;
  readonly recipients: readonly {
    position: number;
    state: RecipientState;
    reply: string;
    code: string | null;
  }[];
}

export interface Attempted {
  readonly id: number;
  readonly token: string;
  /** Attempts so far, this one included. */
  readonly attempts: number;
  readonly giveUpAt: Date;
  readonly recipients: readonly LedgerRecipient[];
}

/** Whom an attempt addresses: nobody who has the mail, was refused, or may have it. */
export const unsettledRecipients = (recipients: readonly LedgerRecipient[]): readonly LedgerRecipient[] =>
  recipients.filter(({ state }) => state === 'PENDING' || state === 'DEFERRED');

/**
 * Turns what the server said into the delivery's next state: pure. One recipient's refusal is that
 * recipient's alone; a temporary one is tried again with the others left alone; an outcome that nobody knows
 * stops every machine.
 * @param random in [0, 1): full jitter, so that mails that failed together do not come back together
 */
export function settlementOf(
  delivery: Attempted,
  outcome: AttemptOutcome,
  now: Date,
  random: number,
): Settlement {
  const expired = now >= delivery.giveUpAt;
  const changed = unsettledRecipients(delivery.recipients).map((recipient) => {
    const verdict = outcome.verdicts.get(envelopeAddress(recipient.address)) ?? unaddressed;
    const state = verdict.state === 'DEFERRED' && expired ? 'FAILED' : verdict.state;
    return { position: recipient.position, state, reply: verdict.reply, code: verdict.enhancedCode ?? null };
  });
  const byPosition = new Map(changed.map((one) => [one.position, one]));
  // Whoever was refused by an earlier attempt is still what went wrong when the last one waited for is
  // served.
  const all = delivery.recipients.map((one) => byPosition.get(one.position) ?? one);
  const state = stateOf(all.map((one) => one.state));
  const worst = all.find((one) => one.state === worstOf(state)) ?? all.find((one) => one.state === 'FAILED');
  const gaveUp = expired && worst?.state === 'FAILED' && !/^5/.test(worst.reply ?? '');
  return {
    id: delivery.id,
    token: delivery.token,
    state,
    event: `DELIVERY_${state}` as EventType,
    phase: outcome.reached,
    reply: outcome.reply,
    failure: worst === undefined ? null : `${worst.reply ?? ''}${gaveUp ? ' (given up after 5 days)' : ''}`,
    bodyAt: outcome.bodyAt ?? null,
    dueAt: state === 'DEFERRED' ? new Date(now.getTime() + backOff(delivery.attempts, random)) : null,
    recipients: changed,
  };
}

/** A redacted message is not mailed any more: what is left of it is not what its author sent. */
export const redactedSettlement = (delivery: Attempted): Settlement =>
  unsentSettlement(delivery, 'CANCELLED', 'Not sent: the message was redacted');

/**
 * A mail with an infected file goes to nobody, however often it is tried. @param file its name, and what was
 * found in it
 */
export const infectedSettlement = (delivery: Attempted, file: string): Settlement =>
  unsentSettlement(delivery, 'FAILED', `Not sent: a file is infected: ${file}`);

/** Nothing was said to any server, and nothing will be. */
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
 * The state of a delivery whose recipients have these, when no attempt is under way: the one rule for it.
 * @param waiting what it is called while somebody is still to get the mail
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

/** Milliseconds: exponential with full jitter, from one second to an hour. */
export function backOff(attempts: number, random: number): number {
  return Math.max(1000, random * Math.min(longestBackOff, firstBackOff * 2 ** Math.min(attempts - 1, 20)));
}
