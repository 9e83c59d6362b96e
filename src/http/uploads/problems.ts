import type { ServerResponse } from 'node:http';
import { asUnavailable } from '../../platform/database-faults.ts';
import { BadCredential, type ErrorCode, RateLimited, Refusal, Unavailable } from '../../platform/errors.ts';
import { requestIdOf } from '../../platform/http/send-response.ts';
import type { Logger } from '../../platform/log.ts';
import { noteCode, notesOf } from '../../platform/request-notes.ts';
import { UploadFault, type UploadFaultCode } from '../../tickets/uploads/fault.ts';
import { sendText } from '../respond.ts';

/** Codes of requests that /uploads does not accept because of their method or headers. */
export type RequestFaultCode =
  | 'BAD_REQUEST'
  | 'METHOD_NOT_ALLOWED'
  | 'PREFLIGHT_REQUIRED'
  | 'UNSUPPORTED_MEDIA_TYPE';
/** Codes of all errors of /uploads. */
export type ProblemCode =
  | Extract<ErrorCode, 'UNAUTHENTICATED' | 'FORBIDDEN' | 'ATTACHMENT_TOO_LARGE' | 'RATE_LIMITED'>
  | UploadFaultCode
  | RequestFaultCode
  | 'BAD_CREDENTIAL'
  | 'UNAVAILABLE'
  | 'INTERNAL';

/** The HTTP status of each code. BAD_CREDENTIAL is 429 when the client has to wait (`problemOf`). */
export const statuses = {
  UNAUTHENTICATED: 401,
  BAD_CREDENTIAL: 401,
  FORBIDDEN: 403,
  PREFLIGHT_REQUIRED: 403,
  UPLOAD_NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  UPLOAD_OFFSET: 409,
  UPLOAD_COMPLETE: 409,
  ATTACHMENT_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  BAD_REQUEST: 400,
  UPLOAD_MISMATCH: 400,
  UPLOAD_DIGEST: 400,
  TOO_MANY_UPLOADS: 429,
  RATE_LIMITED: 429,
  UPLOAD_BUSY: 503,
  UNAVAILABLE: 503,
  INTERNAL: 500,
} as const satisfies Record<ProblemCode, number>;

/** Problem types that the draft registers. */
const registered = 'https://iana.org/assignments/http-problem-types#';
const types: Partial<Record<ProblemCode, string>> = {
  UPLOAD_OFFSET: `${registered}mismatching-upload-offset`,
  UPLOAD_MISMATCH: `${registered}inconsistent-upload-length`,
};

/** A request that /uploads does not accept. `message` is for people, `headers` are for the response. */
export class RequestFault extends Error {
  readonly code: RequestFaultCode;
  readonly headers: Readonly<Record<string, string>>;
  constructor(code: RequestFaultCode, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.name = 'RequestFault';
    this.code = code;
    this.headers = headers;
  }
}

/** The parts of an error's response. */
interface UploadProblem {
  readonly code: ProblemCode;
  readonly detail: string;
  /** Overrides the code's usual status. */
  readonly status?: number;
  readonly members?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Sends an error as `application/problem+json` (RFC 9457), and records its code for the log. `code` is for
 * programs, `detail` for people. The status is that of `statuses` unless another is given; `members` are
 * added to the JSON, `headers` to the response.
 */
export function answerProblem(
  res: ServerResponse,
  { code, detail, status = statuses[code], members = {}, headers = {} }: UploadProblem,
): void {
  noteCode(notesOf(res.req), code);
  const type = types[code] ?? 'about:blank';
  sendText(res, status, JSON.stringify({ type, title: titleOf(code), status, detail, code, ...members }), {
    'Content-Type': 'application/problem+json',
    ...headers,
  });
}

const titleOf = (code: ProblemCode): string =>
  code.charAt(0) + code.slice(1).toLowerCase().replaceAll('_', ' ');

/**
 * Turns an error into the problem that `answerProblem` sends, with the headers that its code needs:
 * Retry-After, Upload-Offset, or a Bearer challenge. It never throws. A refusal other than UNAUTHENTICATED
 * and ATTACHMENT_TOO_LARGE is FORBIDDEN. A database that does not answer is UNAVAILABLE. An unexpected error
 * is logged, and becomes INTERNAL with the request id in place of its text.
 * @param provided the offset at which the sender wanted to continue, for UPLOAD_OFFSET
 */
export function problemOf(
  error: unknown,
  res: ServerResponse,
  log: Logger,
  provided?: number,
): UploadProblem {
  if (error instanceof RequestFault)
    return { code: error.code, detail: error.message, headers: error.headers };
  if (error instanceof UploadFault) return uploadProblem(error, provided);
  if (error instanceof Refusal) return refusalProblem(error);
  if (error instanceof BadCredential) return credentialProblem(error);
  if (error instanceof RateLimited) {
    const headers = { 'Retry-After': String(error.retryAfterSeconds) };
    return { code: 'RATE_LIMITED', detail: error.message, headers };
  }
  const fault = asUnavailable(error);
  if (fault instanceof Unavailable) {
    const headers = { 'Retry-After': String(fault.retryAfterSeconds) };
    return { code: 'UNAVAILABLE', detail: fault.message, headers };
  }
  const requestId = requestIdOf(res);
  log.error({ err: error, requestId }, 'fault');
  const detail = `Something went wrong on our side; the request id is ${requestId}`;
  return { code: 'INTERNAL', detail };
}

function uploadProblem({ code, message, offset }: UploadFault, provided: number | undefined): UploadProblem {
  return {
    code,
    detail: message,
    members: code === 'UPLOAD_OFFSET' ? { 'expected-offset': offset, 'provided-offset': provided } : {},
    headers: {
      'Upload-Complete': '?0',
      ...(offset === undefined ? {} : { 'Upload-Offset': String(offset) }),
      ...(code === 'UPLOAD_BUSY' || code === 'TOO_MANY_UPLOADS' ? { 'Retry-After': '5' } : {}),
    },
  };
}

function refusalProblem(error: Refusal): UploadProblem {
  if (error.is('ATTACHMENT_TOO_LARGE'))
    return {
      code: 'ATTACHMENT_TOO_LARGE',
      detail: error.message,
      members: { limitBytes: error.details.limitBytes },
    };
  if (error.is('UNAUTHENTICATED'))
    return { code: 'UNAUTHENTICATED', detail: error.message, headers: challenge };
  return { code: 'FORBIDDEN', detail: error.message };
}

/** Not Basic: it would make the browser prompt for a password on the page. */
const challenge = { 'WWW-Authenticate': 'Bearer realm="Ticketwire"' };

function credentialProblem({ message, retryAfterSeconds: wait }: BadCredential): UploadProblem {
  const problem = { code: 'BAD_CREDENTIAL', detail: message } as const;
  if (wait === undefined) return { ...problem, headers: challenge };
  return { ...problem, status: 429, headers: { 'Retry-After': String(wait) } };
}
