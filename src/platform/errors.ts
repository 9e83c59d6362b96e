import type { DeliveryState } from './vocabulary.ts';

/**
 * The closed list of reasons for which a command says no. Every table over it is `satisfies Record<ErrorCode,
 * …>`.
 */
export const errorCodes = [
  'UNAUTHENTICATED',
  'TICKET_NOT_FOUND',
  'FORBIDDEN',
  'INVALID_INPUT',
  'PRIVATE_WITH_EMAIL',
  'MAILBOX_NOT_FOUND',
  'MAILBOX_NOT_READY',
  'RECIPIENT_MISSING',
  'ATTACHMENT_TOO_LARGE',
  'EMAIL_TOO_LARGE',
  'TICKET_CHANGED',
  'IDEMPOTENCY_KEY_REUSED',
  'MESSAGE_NOT_FOUND',
  'ATTACHMENT_NOT_FOUND',
  'DELIVERY_NOT_FOUND',
  'DELIVERY_STATE',
  'PREVIEW_STALE',
  'RATE_LIMITED',
] as const;
export type ErrorCode = (typeof errorCodes)[number];

/** One thing that is wrong with an input. `path` starts at the command's input: `['email', 'cc', 2]`. */
export interface Problem {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** What a refusal tells beside its message; codes that are not here tell nothing more. Sizes are bytes. */
export interface RefusalDetails {
  INVALID_INPUT: { problems: readonly Problem[] };
  ATTACHMENT_TOO_LARGE: { limitBytes: number };
  EMAIL_TOO_LARGE: { limitBytes: number; sizeBytes: number };
  TICKET_CHANGED: { ticketId: number; unseenMessageIds: readonly number[] };
  DELIVERY_STATE: { state: DeliveryState };
  RATE_LIMITED: { retryAfterSeconds: number };
}
export type DetailsOf<C extends ErrorCode> = C extends keyof RefusalDetails ? RefusalDetails[C] : undefined;

/** A command's no: expected, typed, safe to show. Whatever else is thrown is a fault, masked and logged. */
export class Refusal<C extends ErrorCode = ErrorCode> extends Error {
  readonly code: C;
  /**
   * Where in the input the refusal is about; empty for the whole input. It is not called `path`: graphql-js
   * takes an error with an array of that name for one that it has located already.
   */
  readonly inputPath: readonly (string | number)[];
  readonly details: DetailsOf<C>;

  constructor(
    code: C,
    message: string,
    ...[details, inputPath]: C extends keyof RefusalDetails
      ? [details: RefusalDetails[C], inputPath?: readonly (string | number)[]]
      : [details?: undefined, inputPath?: readonly (string | number)[]]
  ) {
    super(message);
    this.name = 'Refusal';
    this.code = code;
    this.inputPath = inputPath ?? [];
    this.details = details as DetailsOf<C>;
  }

  /** Narrows by code, which `instanceof` cannot. */
  is<K extends ErrorCode>(code: K): this is Refusal<K> {
    return (this.code as ErrorCode) === code;
  }
}

/** Whether the very same call may succeed later without being changed. */
export const retryable = {
  UNAUTHENTICATED: false,
  TICKET_NOT_FOUND: false,
  FORBIDDEN: false,
  INVALID_INPUT: false,
  PRIVATE_WITH_EMAIL: false,
  MAILBOX_NOT_FOUND: false,
  MAILBOX_NOT_READY: true,
  RECIPIENT_MISSING: false,
  ATTACHMENT_TOO_LARGE: false,
  EMAIL_TOO_LARGE: false,
  TICKET_CHANGED: false,
  IDEMPOTENCY_KEY_REUSED: false,
  MESSAGE_NOT_FOUND: false,
  ATTACHMENT_NOT_FOUND: false,
  DELIVERY_NOT_FOUND: false,
  DELIVERY_STATE: false,
  PREVIEW_STALE: false,
  RATE_LIMITED: true,
} as const satisfies Record<ErrorCode, boolean>;

/**
 * A request that no door can make sense of, whatever its body says: HTTP 400 on every door. Its message may
 * be shown.
 */
export class BadRequest extends Error {
  override readonly name = 'BadRequest';
}

/** Why a sign-in is refused, for whoever watches the gateway; whoever asks learns less. */
export type SignInReason =
  | (
      | 'malformed'
      | 'wrong_password'
      | 'repeated_password'
      | 'unknown_token'
      | 'revoked'
      | 'expired'
      | 'disabled'
    )
  | ('jwt' | 'demo_account' | 'throttled');

/**
 * A credential was offered and is not good: HTTP 401; or it was not looked at, as too many before it were
 * wrong: 429 with Retry-After, and 401 with Retry-After on the legacy door, whose clients know no 429.
 */
export class BadCredential extends Error {
  readonly reason: SignInReason;
  /** Seconds to wait before the next attempt, when sign-ins are being slowed down. */
  readonly retryAfterSeconds: number | undefined;
  /** Whose password it was not. */
  readonly userId: number | undefined;
  constructor(
    message: string,
    reason: SignInReason,
    { retryAfterSeconds, userId }: { retryAfterSeconds?: number; userId?: number | undefined } = {},
  ) {
    super(message);
    this.name = 'BadCredential';
    this.reason = reason;
    this.retryAfterSeconds = retryAfterSeconds;
    this.userId = userId;
  }
}

/** Too many requests: HTTP 429 with Retry-After on every door. */
export class RateLimited extends Error {
  readonly limit: string;
  readonly retryAfterSeconds: number;
  constructor(limit: string, retryAfterSeconds: number) {
    super(`Too many requests: wait ${retryAfterSeconds} s`);
    this.name = 'RateLimited';
    this.limit = limit;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** What is asked for holds more bytes than one answer may have: less is to be asked for at once. */
export class AnswerTooLarge extends Error {
  override readonly name = 'AnswerTooLarge';
}

const underWay = {
  TOO_MANY_SUBSCRIPTIONS: 'subscriptions',
  TOO_MANY_UPLOADS: 'forms with files',
} as const;
export type TooManyCode = keyof typeof underWay;

/**
 * The caller has as many of something under way as one user may have at a time: HTTP 429 with Retry-After.
 */
export class TooMany extends Error {
  readonly code: TooManyCode;
  /** Seconds to wait before the next attempt. */
  readonly retryAfterSeconds = 5;
  constructor(code: TooManyCode, most: number) {
    super(`You have ${most} ${underWay[code]} under way, and no more are allowed at a time: end one first`);
    this.name = 'TooMany';
    this.code = code;
  }
}

/** A fault that passes: the database is down, a queue is full. HTTP 503 with Retry-After on every door. */
export class Unavailable extends Error {
  readonly retryAfterSeconds: number;
  /**
   * Whether it is certain that nothing was done; otherwise the same call with its idempotency key finds out.
   */
  readonly nothingWritten: boolean;
  constructor(
    message: string,
    retryAfterSeconds = 1,
    { nothingWritten = false, ...options }: ErrorOptions & { nothingWritten?: boolean } = {},
  ) {
    super(message, options);
    this.name = 'Unavailable';
    this.retryAfterSeconds = retryAfterSeconds;
    this.nothingWritten = nothingWritten;
  }
}
