import type { DeliveryState, RecipientKind, RecipientState } from '../../platform/vocabulary.ts';
import { type Explanation, explanationRules } from './explanation-rules.ts';

/** The ledger's failure text of a mail that waits for the scan of its files. */
export const awaitsScan = 'Waiting: its files have not been scanned yet';

/** The ledger's texts of mails whose outcome is unknown for another reason than a lost connection. */
export const unknownOutcomes = {
  workerEnded: 'The worker stopped while the mail was being sent: it may have arrived',
  restored: 'The database was restored or copied: the original may have sent this mail',
  doubted: 'The outbox was released with doubt: this mail may have been sent',
} as const;
const saysWhyUnknown = new Set<string | null>(Object.values(unknownOutcomes));

const unreachable: Explanation = {
  reason: 'The mail server could not be reached.',
  suggestedAction: 'WAIT',
};
const unknown: Explanation = {
  reason:
    'The connection ended after the whole mail was sent and before the server answered: it may have arrived.',
  suggestedAction: 'RESOLVE',
};

/** A recipient as the ledger records it. */
export interface ExplainedRecipient {
  readonly kind: RecipientKind;
  readonly address: string;
  readonly state: RecipientState;
  /** The server's last reply about the recipient, or what went wrong in plain words. */
  readonly smtpReply: string | null;
}

/**
 * Explains why a recipient did not get the mail, or may not have got it. Undefined for any state but FAILED,
 * DEFERRED and OUTCOME_UNKNOWN, and for FAILED and DEFERRED without a reply.
 */
export function explainRecipient({
  state,
  smtpReply: reply,
}: Pick<ExplainedRecipient, 'state' | 'smtpReply'>): Explanation | undefined {
  if (state === 'OUTCOME_UNKNOWN')
    return saysWhyUnknown.has(reply) ? { ...unknown, reason: `${reply}.` } : unknown;
  if ((state !== 'FAILED' && state !== 'DEFERRED') || reply === null || reply === '') return undefined;
  if (reply.startsWith('Not sent: ')) return { reason: `${reply}.`, suggestedAction: null };
  const { reason, suggestedAction } =
    explanationRules.find(({ matches }) => matches.test(reply)) ?? unreachable;
  // A FAILED recipient without a permanent reply was retried until the time limit.
  const gaveUp = state === 'FAILED' && !/^5\d\d\b/.test(reply);
  return gaveUp
    ? { reason: `${reason} It was tried for 5 days.`, suggestedAction: 'RETRY' }
    : { reason, suggestedAction };
}

/** States of the recipients that explain a delivery's state. */
const explainingStates = {
  HELD: [],
  QUEUED: [],
  TRANSMITTING: [],
  SENT: [],
  PARTIALLY_FAILED: ['FAILED'],
  FAILED: ['FAILED'],
  DEFERRED: ['DEFERRED', 'FAILED'],
  OUTCOME_UNKNOWN: ['OUTCOME_UNKNOWN', 'FAILED'],
  CANCELLED: [],
} satisfies Record<DeliveryState, readonly RecipientState[]>;

/** Why a delivery failed or waits. */
export interface DeliveryExplanation extends Explanation {
  /** The server's reply for the first recipient that `reason` names; null if it names none. */
  readonly smtpReply: string | null;
}

/**
 * Explains why a delivery failed or waits, in one text: for each reason, the recipients (the first three by
 * address and the others by number, or all by number) and the reason. The suggested action is that for the
 * first recipient. If no recipient has anything to explain, `failure` is the reason, and the action is WAIT,
 * or none for a cancelled mail. Undefined when that is null too, or the mail is sent or being sent.
 * @param failure the delivery's own text: why it was cancelled, that its recipient's hourly limit delays it,
 *   or `awaitsScan`
 */
export function explainDelivery({
  state,
  failure,
  recipients,
}: {
  readonly state: DeliveryState;
  readonly failure: string | null;
  readonly recipients: readonly ExplainedRecipient[];
}): DeliveryExplanation | undefined {
  const explained = explainingStates[state].flatMap((wanted) =>
    recipients.flatMap((recipient) => {
      const explanation = recipient.state === wanted ? explainRecipient(recipient) : undefined;
      return explanation === undefined ? [] : [{ ...explanation, recipient }];
    }),
  );
  const [first] = explained;
  if (first === undefined) {
    if (failure === null || state === 'SENT' || state === 'TRANSMITTING') return undefined;
    return { reason: failure, suggestedAction: state === 'CANCELLED' ? null : 'WAIT', smtpReply: null };
  }
  const groups = [...Map.groupBy(explained, ({ reason }) => reason)].map(
    ([reason, those]) =>
      `${namesOf(
        those.map(({ recipient }) => recipient.address),
        recipients.length,
      )}: ${reason}`,
  );
  return {
    reason: groups.join(' '),
    suggestedAction: first.suggestedAction,
    smtpReply: first.recipient.smtpReply,
  };
}

/** Most addresses that an explanation lists. */
const namedAtMost = 3;

function namesOf(addresses: readonly string[], all: number): string {
  if (addresses.length <= namedAtMost) return addresses.join(', ');
  if (addresses.length === all) return `All ${all} recipients`;
  return `${addresses.slice(0, namedAtMost).join(', ')} and ${addresses.length - namedAtMost} more`;
}
