import type { DeliveryState, RecipientKind, RecipientState, SuggestedAction } from '../vocabulary.ts';

/** What went wrong in plain words, and what may help. */
export interface Explanation {
  readonly reason: string;
  /** Null: nothing is to be done. */
  readonly suggestedAction: SuggestedAction | null;
}

interface Rule extends Explanation {
  readonly matches: RegExp;
}

/*
 * The one table of what mail servers say (RFC 3463 and 5321 §4.2, and what large providers send with bare codes). The first rule
 * that matches counts: enhanced codes are told before basic ones, as `550` alone means a dozen things.
 */
const rules: readonly Rule[] = [
  {
    matches: /^5\d\d[ -]5\.1\.(?:1|2|3|6|10)\b/,
    reason: 'The address does not exist.',
    suggestedAction: 'CHECK_ADDRESS',
  },
  {
    matches: /^5\d\d[ -]5\.1\.[78]\b/,
    reason: "The recipient's server does not accept the mailbox's own address.",
    suggestedAction: 'CHECK_MAILBOX',
  },
  {
    matches: /^5\d\d[ -]5\.2\.1\b/,
    reason: "The recipient's mailbox is disabled.",
    suggestedAction: 'CONTACT_RECIPIENT_OTHERWISE',
  },
  {
    matches: /^5\d\d[ -]5\.2\.2\b/,
    reason: "The recipient's mailbox is full.",
    suggestedAction: 'CONTACT_RECIPIENT_OTHERWISE',
  },
  {
    matches: /^5\d\d[ -]5\.(?:2\.3|3\.4)\b|^552\b.*size/is,
    reason: 'The mail is larger than the server takes.',
    suggestedAction: 'REDUCE_SIZE',
  },
  {
    matches: /^5\d\d[ -]5\.4\.[46]\b/,
    reason: "The recipient's domain takes no mail, or its mail goes in circles.",
    suggestedAction: 'CHECK_ADDRESS',
  },
  {
    matches: /^5\d\d[ -]5\.6\.7\b/,
    reason: 'The address has letters that the mail server cannot handle.',
    suggestedAction: 'CHECK_ADDRESS',
  },
  {
    matches: /^5\d\d[ -]5\.7\.(?:2[0-9]|1\b.*(?:spf|dkim|dmarc))/is,
    reason: "The recipient's server does not believe that the mail is ours (SPF, DKIM or DMARC).",
    suggestedAction: 'ASK_MAIL_ADMINISTRATOR',
  },
  {
    matches: /^5\d\d[ -]5\.7\.|^5\d\d\b.*(?:spam|blocked|blacklist|denied|policy)/is,
    reason: "The recipient's server refuses the mail by its rules.",
    suggestedAction: 'ASK_MAIL_ADMINISTRATOR',
  },
  {
    matches: /^4\d\d[ -]4\.2\.2\b|^452\b.*(?:quota|full)/is,
    reason: "The recipient's mailbox is full for now.",
    suggestedAction: 'WAIT',
  },
  {
    matches: /^4\d\d[ -]4\.7\.\d+\b|greylist/i,
    reason: "The recipient's server wants to see the mail again later (greylisting or a rate limit).",
    suggestedAction: 'WAIT',
  },
  {
    matches: /^530\b|^535\b|does not accept the mailbox's login|MAILBOX_KEY/,
    reason: 'The mail server does not accept the login of the mailbox.',
    suggestedAction: 'CHECK_MAILBOX',
  },
  {
    matches: /TLS cannot be trusted/,
    reason: "The mail server's certificate cannot be trusted.",
    suggestedAction: 'CHECK_MAILBOX',
  },
  {
    matches: /mailbox is disabled|no SMTP settings/,
    reason: 'The mailbox cannot send.',
    suggestedAction: 'CHECK_MAILBOX',
  },
  {
    matches: /name cannot be resolved/,
    reason: "The mail server's name is unknown.",
    suggestedAction: 'CHECK_MAILBOX',
  },
  {
    matches:
      /^(?:The mail could not be made|An attachment could not be read|The attempt could not be written)/,
    reason: 'The gateway could not make the mail.',
    suggestedAction: 'ASK_MAIL_ADMINISTRATOR',
  },
  {
    matches: /^55[013]\b/,
    reason: 'The server does not accept the recipient.',
    suggestedAction: 'CHECK_ADDRESS',
  },
  {
    matches: /^552\b/,
    reason: "The recipient's mailbox is full.",
    suggestedAction: 'CONTACT_RECIPIENT_OTHERWISE',
  },
  { matches: /^5/, reason: 'The server refuses the mail.', suggestedAction: 'ASK_MAIL_ADMINISTRATOR' },
  { matches: /^4/, reason: 'The server cannot take the mail at the moment.', suggestedAction: 'WAIT' },
];

const unreachable: Explanation = {
  reason: 'The mail server could not be reached.',
  suggestedAction: 'WAIT',
};
const unknown: Explanation = {
  reason:
    'The connection ended after the whole mail was sent and before the server answered: it may have arrived.',
  suggestedAction: 'RESOLVE',
};

/** As far as the ledger knows a recipient. */
export interface Addressed {
  readonly kind: RecipientKind;
  readonly address: string;
  readonly state: RecipientState;
  /** The server's reply, or what went wrong on the way to it. */
  readonly smtpReply: string | null;
}

/** Why a recipient does not have the mail, or may not have it; undefined when there is nothing to explain. */
export function explainRecipient({
  state,
  smtpReply: reply,
}: Pick<Addressed, 'state' | 'smtpReply'>): Explanation | undefined {
  if (state === 'OUTCOME_UNKNOWN') return unknown;
  if ((state !== 'FAILED' && state !== 'DEFERRED') || reply === null || reply === '') return undefined;
  if (reply.startsWith('Not sent: ')) return { reason: `${reply}.`, suggestedAction: null };
  const { reason, suggestedAction } = rules.find(({ matches }) => matches.test(reply)) ?? unreachable;
  // What is not refused for good is tried again until the mail has failed.
  const gaveUp = state === 'FAILED' && !/^5\d\d\b/.test(reply);
  return gaveUp
    ? { reason: `${reason} It was tried for 5 days.`, suggestedAction: 'RETRY' }
    : { reason, suggestedAction };
}

/** Which recipients say why a delivery is in its state. */
const speaking = {
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

export interface DeliveryExplanation extends Explanation {
  /** The server's own words on the first recipient that `reason` names. */
  readonly smtpReply: string | null;
}

/**
 * Why a delivery failed or waits: who did not get the mail, and why; undefined when there is nothing to explain.
 * @param failure what the ledger keeps beside its recipients: why the mail was called off, or that a cap holds it up
 */
export function explainDelivery({
  state,
  failure,
  recipients,
}: {
  readonly state: DeliveryState;
  readonly failure: string | null;
  readonly recipients: readonly Addressed[];
}): DeliveryExplanation | undefined {
  const spoken = speaking[state].flatMap((wanted) =>
    recipients.flatMap((recipient) => {
      const explanation = recipient.state === wanted ? explainRecipient(recipient) : undefined;
      return explanation === undefined ? [] : [{ ...explanation, recipient }];
    }),
  );
  const [first] = spoken;
  if (first === undefined) {
    if (failure === null || state === 'SENT' || state === 'TRANSMITTING') return undefined;
    return { reason: failure, suggestedAction: state === 'CANCELLED' ? null : 'WAIT', smtpReply: null };
  }
  const groups = [...Map.groupBy(spoken, ({ reason }) => reason)].map(
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

/** Names that are worth listing; of fifty recipients nobody reads them all. */
const namedAtMost = 3;

function namesOf(addresses: readonly string[], all: number): string {
  if (addresses.length <= namedAtMost) return addresses.join(', ');
  if (addresses.length === all) return `All ${all} recipients`;
  return `${addresses.slice(0, namedAtMost).join(', ')} and ${addresses.length - namedAtMost} more`;
}
