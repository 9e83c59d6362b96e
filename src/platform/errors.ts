import type { DeliveryState } from './vocabulary.ts';

/**
 * The code of every reason for which a command refuses. A table with an entry for each is declared as
 * `satisfies Record<ErrorCode, …>`, so that none is forgotten.
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
/** The reason of a refusal. */
export type ErrorCode = (typeof errorCodes)[number];

/** One thing that is wrong with an input. `path` starts at the command's input: `['email', 'cc', 2]`. */
export interface Problem {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** A refusal's details, for the codes that have any. Sizes are in bytes. */
export interface RefusalDetails {
  INVALID_INPUT: { problems: readonly Problem[] };
  ATTACHMENT_TOO_LARGE: { limitBytes: number };
  EMAIL_TOO_LARGE: { limitBytes: number; sizeBytes: number };
  TICKET_CHANGED: { ticketId: number; unseenMessageIds: readonly number[] };
  DELIVERY_STATE: { state: DeliveryState };
  RATE_LIMITED: { retryAfterSeconds: number };
}
/** The details of a refusal with this code; undefined for a code without details. */
export type DetailsOf<C extends ErrorCode> = C extends keyof RefusalDetails ? RefusalDetails[C] : undefined;

/**
 * A command's refusal: expected, typed, safe to show. Any other error is a fault, which is masked and
 * logged.
 */
export class Refusal<C extends ErrorCode = ErrorCode> extends Error {
  readonly code: C;
  /**
   * Path in the input that the refusal concerns; empty for the whole input. It is not named `path`, because
   * graphql-js treats an error with an array of that name as already located.
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

  /** Whether the refusal has this code. Narrows the type, which `instanceof` cannot. */
  is<K extends ErrorCode>(code: K): this is Refusal<K> {
    return (this.code as ErrorCode) === code;
  }
}

/** Whether the same call may succeed later, without a change of its input, by the refusal's code. */
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

/** A request that is malformed on any route: HTTP 400. Its message may be shown. */
export class BadRequest extends Error {
  override readonly name = 'BadRequest';
}

/** Why a sign-in was rejected, for logs and metrics. The caller learns less. */
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

interface BadCredentialDetails {
  readonly retryAfterSeconds?: number;
  readonly userId?: number | undefined;
  readonly why?: string;
}

/**
 * A credential was rejected (HTTP 401), or not checked because too many before it were wrong: 429 with
 * Retry-After, or 401 with Retry-After on the legacy endpoint, whose clients do not know 429.
 */
export class BadCredential extends Error {
  readonly reason: SignInReason;
  /** Seconds to wait before the next attempt, when sign-ins are being slowed down. */
  readonly retryAfterSeconds: number | undefined;
  /** The user whose password was wrong. */
  readonly userId: number | undefined;
  /** What is wrong with a JWT, for the log alone: a code, and a claim's name. */
  readonly why: string | undefined;
  constructor(
    message: string,
    reason: SignInReason,
    { retryAfterSeconds, userId, why }: BadCredentialDetails = {},
  ) {
    super(message);
    this.name = 'BadCredential';
    this.reason = reason;
    this.retryAfterSeconds = retryAfterSeconds;
    this.userId = userId;
    this.why = why;
  }
}

/** Too many requests: HTTP 429 with Retry-After on every route. */
export class RateLimited extends Error {
  /** Name of the limit, see `LimitName`. */
  readonly limit: string;
  readonly retryAfterSeconds: number;
  constructor(limit: string, retryAfterSeconds: number) {
    super(`Too many requests: wait ${retryAfterSeconds} s`);
    this.name = 'RateLimited';
    this.limit = limit;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** A GraphQL response would exceed MAX_ANSWER_BYTES. The client has to request less at a time. */
export class ResponseTooLarge extends Error {
  override readonly name = 'ResponseTooLarge';
}

const limited = {
  TOO_MANY_SUBSCRIPTIONS: 'subscriptions',
  TOO_MANY_UPLOADS: 'forms with files',
} as const;
/** Which limit was reached. */
export type TooManyCode = keyof typeof limited;

/** The user has reached a limit of concurrent subscriptions or uploads: HTTP 429 with Retry-After. */
export class TooMany extends Error {
  readonly code: TooManyCode;
  /** Seconds to wait before the next attempt. */
  readonly retryAfterSeconds = 5;
  constructor(code: TooManyCode, most: number) {
    super(`You have ${most} ${limited[code]} open, which is the most that is allowed; close one first`);
    this.name = 'TooMany';
    this.code = code;
  }
}

/**
 * A temporary fault: the database or the file store does not answer, or a queue is full. HTTP 503 with
 * Retry-After on every route; 1 second by default.
 */
export class Unavailable extends Error {
  readonly retryAfterSeconds: number;
  /**
   * Whether certainly nothing was written. False, the default: something may have been. The caller may repeat
   * the call with its idempotency key.
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
