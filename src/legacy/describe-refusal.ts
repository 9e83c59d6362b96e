import type { GraphQLError } from 'graphql';
import type { ErrorCode } from '../platform/errors.ts';
import type { RefusalData } from './load-operations.ts';

/**
 * The old service answered 400 to every refusal. Sizes and a reused key, which its clients did not know, have
 * statuses of their own.
 */
const statuses = {
  UNAUTHENTICATED: 401,
  TICKET_NOT_FOUND: 400,
  FORBIDDEN: 400,
  INVALID_INPUT: 400,
  PRIVATE_WITH_EMAIL: 400,
  MAILBOX_NOT_FOUND: 400,
  MAILBOX_NOT_READY: 400,
  RECIPIENT_MISSING: 400,
  ATTACHMENT_TOO_LARGE: 413,
  EMAIL_TOO_LARGE: 413,
  TICKET_CHANGED: 400,
  IDEMPOTENCY_KEY_REUSED: 422,
  MESSAGE_NOT_FOUND: 400,
  ATTACHMENT_NOT_FOUND: 400,
  DELIVERY_NOT_FOUND: 400,
  DELIVERY_STATE: 400,
  PREVIEW_STALE: 400,
  RATE_LIMITED: 429,
} as const satisfies Record<ErrorCode, number>;

/**
 * The HTTP status of a refusal at the legacy endpoint: 401, 413, 422 or 429 for a few codes, and 400 for all
 * others, as the old service had it.
 */
export function statusOf({ code }: Pick<RefusalData, 'code'>): number {
  return statuses[code];
}

/**
 * The HTTP status of an error whose code is that of a refusal, one that was thrown instead of returned as the
 * field's value; undefined for any other error.
 */
export function statusOfError({ extensions }: GraphQLError): number | undefined {
  const { code } = extensions;
  return typeof code === 'string' && Object.hasOwn(statuses, code) ? statuses[code as ErrorCode] : undefined;
}

/**
 * The message for a ticket that does not exist or is not visible to the caller, and for an id and a reference
 * that name different tickets. It does not reveal which of these it is.
 */
export const ticketNotFound = 'The ticket was not found.';

/**
 * Describes a refusal in one or more sentences. Each is prefixed with the member that the client wrote:
 * `TicketREF: …`. Of a refusal with `problems`, only these are described; TICKET_NOT_FOUND is always
 * `ticketNotFound`.
 * @param memberOf returns the client's member for a path of the input; empty: no prefix
 */
export function describeRefusal(refusal: RefusalData, memberOf: (path: readonly string[]) => string): string {
  if (refusal.code === 'TICKET_NOT_FOUND') return ticketNotFound;
  const problems = 'problems' in refusal ? refusal.problems : [];
  if (problems.length === 0) return named(memberOf(refusal.path), refusal.message);
  return problems.map(({ path, message }) => named(memberOf(path), message)).join(' ');
}

function named(member: string, message: string): string {
  const sentence = /[.!?]$/.test(message) ? message : `${message}.`;
  return member === '' ? sentence : `${member}: ${sentence}`;
}
