import type { SuggestedAction } from '../../platform/vocabulary.ts';
import { gatewayFaults } from '../smtp/smtp-errors.ts';

/** What went wrong, in plain words, and what may help. */
export interface Explanation {
  readonly reason: string;
  /** Null when there is nothing to do. */
  readonly suggestedAction: SuggestedAction | null;
}

interface ExplanationRule extends Explanation {
  readonly matches: RegExp;
}

/**
 * Explanations of the replies of mail servers (RFC 3463, RFC 5321 §4.2, and bare codes of large providers),
 * and of the texts that the gateway itself records. The first rule that matches the reply applies. Enhanced
 * codes come before basic ones, because a bare `550` means a dozen things. If no rule matches,
 * `explainRecipient` says that the server could not be reached.
 */
export const explanationRules: readonly ExplanationRule[] = [
  {
    // With whatever enhanced code: 5.7.0 and 5.7.57 are usual.
    matches: /^530\b/,
    reason: 'The mail server takes mail only after a login or over TLS.',
    suggestedAction: 'CHECK_MAILBOX',
  },
  {
    matches: /^535\b|does not accept the mailbox's login|MAILBOX_KEY/,
    reason: 'The mail server does not accept the login of the mailbox.',
    suggestedAction: 'CHECK_MAILBOX',
  },
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
    reason: 'The mail is larger than the server accepts.',
    suggestedAction: 'REDUCE_SIZE',
  },
  {
    matches: /^5\d\d[ -]5\.4\.[46]\b/,
    reason: "The recipient's domain does not accept mail, or its mail is routed in a loop.",
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
    reason: "The recipient's server rejects the mail because of its policy.",
    suggestedAction: 'ASK_MAIL_ADMINISTRATOR',
  },
  {
    matches: /^4\d\d[ -]4\.2\.2\b|^452\b.*(?:quota|full)/is,
    reason: "The recipient's mailbox is full at the moment.",
    suggestedAction: 'WAIT',
  },
  {
    matches: /^4\d\d[ -]4\.7\.\d+\b|greylist/i,
    reason: "The recipient's server wants to see the mail again later (greylisting or a rate limit).",
    suggestedAction: 'WAIT',
  },
  {
    matches: /does not begin with TLS/,
    reason: 'The SMTP URL says smtps://, and the mail server does not begin with TLS on that port.',
    suggestedAction: 'CHECK_MAILBOX',
  },
  {
    matches: /does not begin TLS after STARTTLS/,
    reason: 'The mail server does not begin TLS, so nothing was sent to it.',
    suggestedAction: 'CHECK_MAILBOX',
  },
  {
    matches: /TLS cannot be trusted/,
    reason: "The mail server's certificate cannot be trusted.",
    suggestedAction: 'CHECK_MAILBOX',
  },
  {
    matches: /mailbox is disabled|no SMTP settings|SMTP URL cannot be read/,
    reason: 'The mailbox cannot send.',
    suggestedAction: 'CHECK_MAILBOX',
  },
  {
    matches: /name cannot be resolved/,
    reason: "The mail server's name is unknown.",
    suggestedAction: 'CHECK_MAILBOX',
  },
  {
    matches: new RegExp(`^(?:${Object.values(gatewayFaults).join('|')})`),
    reason: 'The gateway could not compose the mail.',
    suggestedAction: 'ASK_MAIL_ADMINISTRATOR',
  },
  {
    // Not where an enhanced code says that the route, the protocol or the content is at fault.
    matches: /^55[013]\b(?![ -]5\.[3-6]\.)/,
    reason: 'The server does not accept the recipient.',
    suggestedAction: 'CHECK_ADDRESS',
  },
  {
    matches: /^552\b/,
    reason: "The recipient's mailbox is full.",
    suggestedAction: 'CONTACT_RECIPIENT_OTHERWISE',
  },
  { matches: /^5/, reason: 'The server refuses the mail.', suggestedAction: 'ASK_MAIL_ADMINISTRATOR' },
  {
    matches: /unexpected answer|^The mail server answers DATA/,
    reason: 'The mail server did not answer as SMTP requires.',
    suggestedAction: 'ASK_MAIL_ADMINISTRATOR',
  },
  { matches: /^4/, reason: 'The server cannot accept the mail at the moment.', suggestedAction: 'WAIT' },
];
