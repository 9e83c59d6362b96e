import type { ErrorCode } from '../../platform/errors.ts';
import { builder } from './builder.ts';

/**
 * The meaning of each `ErrorCode` (platform/errors.ts) in English: the description of the enum's value and of
 * the code's error type in the schema.
 */
export const errorMeanings = {
  UNAUTHENTICATED: 'Nobody is signed in. Send a credential and try again.',
  TICKET_NOT_FOUND: 'There is no such ticket, or the viewer may not see it: the answer does not say which.',
  FORBIDDEN: "The viewer's role, or a scope of the credential, does not allow this.",
  INVALID_INPUT: 'The input is invalid. `problems` lists everything that is wrong, each with its path.',
  PRIVATE_WITH_EMAIL:
    'A private message is for operators, so it cannot be sent to the requester as an e-mail.',
  MAILBOX_NOT_FOUND: 'There is no mailbox with the address `from`, or the viewer may not send from it.',
  MAILBOX_NOT_READY: 'The mailbox is disabled, or has no SMTP server to send by.',
  RECIPIENT_MISSING: "The ticket's requester has no e-mail address.",
  ATTACHMENT_TOO_LARGE: 'A file, or all files of the message together, are over the limit.',
  EMAIL_TOO_LARGE: 'The e-mail, as encoded for sending, is larger than the mailbox can send.',
  TICKET_CHANGED: 'The ticket has messages after `ifLastMessage`: read them, then send again.',
  IDEMPOTENCY_KEY_REUSED: 'The idempotency key belongs to an earlier call with another input.',
  MESSAGE_NOT_FOUND: 'There is no such message.',
  ATTACHMENT_NOT_FOUND: 'There is no such attachment.',
  DELIVERY_NOT_FOUND: 'There is no such delivery.',
  DELIVERY_STATE: "The delivery's state does not allow this: a mail that was sent cannot be cancelled.",
  PREVIEW_STALE: 'The mail would differ from its preview: preview it again.',
  RATE_LIMITED: 'Too many commands in a minute: wait for `retryAfterSeconds`, then send it again.',
} as const satisfies Record<ErrorCode, string>;

/** The enum `ErrorCode`, with all codes. */
export const ErrorCodeEnum = builder.enumType('ErrorCode', {
  description:
    'Reason of a refusal. The list is closed: a new code is a new version of the schema and is listed ' +
    'in CHANGELOG.md.',
  values: Object.fromEntries(
    Object.entries(errorMeanings).map(([code, description]) => [code, { description }]),
  ) as Record<ErrorCode, { description: string }>,
});
