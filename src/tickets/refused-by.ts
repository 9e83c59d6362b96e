import type { ErrorCode } from '../platform/errors.ts';

export const commands = [
  'addTicketMessage',
  'previewTicketMessage',
  'uploadFile',
  'changeDelivery',
  'redactMessage',
  'redactAttachment',
  'setTicketStatus',
] as const;
export type CommandName = (typeof commands)[number];

const writers = ['addTicketMessage', 'previewTicketMessage'] as const;
const redactors = ['redactMessage', 'redactAttachment'] as const;

/**
 * Which commands refuse with a code. The schema's result unions are made from this, so that a new code cannot
 * be left out of them.
 */
export const refusedBy = {
  UNAUTHENTICATED: commands,
  FORBIDDEN: commands,
  TICKET_NOT_FOUND: [...writers, 'setTicketStatus'],
  INVALID_INPUT: [...writers, ...redactors],
  PRIVATE_WITH_EMAIL: writers,
  MAILBOX_NOT_FOUND: writers,
  MAILBOX_NOT_READY: writers,
  RECIPIENT_MISSING: writers,
  ATTACHMENT_TOO_LARGE: [...writers, 'uploadFile'],
  EMAIL_TOO_LARGE: ['addTicketMessage'],
  TICKET_CHANGED: ['addTicketMessage'],
  IDEMPOTENCY_KEY_REUSED: ['addTicketMessage'],
  PREVIEW_STALE: ['addTicketMessage'],
  MESSAGE_NOT_FOUND: ['redactMessage'],
  ATTACHMENT_NOT_FOUND: ['redactAttachment'],
  DELIVERY_NOT_FOUND: ['changeDelivery'],
  DELIVERY_STATE: ['changeDelivery'],
  RATE_LIMITED: ['addTicketMessage', 'uploadFile', 'changeDelivery', ...redactors],
} as const satisfies Record<ErrorCode, readonly CommandName[]>;

/** The codes that a command refuses with, which are the members of its result union. */
export type CodeOf<C extends CommandName> = {
  [Code in ErrorCode]: C extends (typeof refusedBy)[Code][number] ? Code : never;
}[ErrorCode];
