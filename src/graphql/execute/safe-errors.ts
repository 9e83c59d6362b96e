import { GraphQLError } from 'graphql';
import { asUnavailable } from '../../platform/database-faults.ts';
import {
  BadCredential,
  BadRequest,
  RateLimited,
  Refusal,
  retryable,
  TooMany,
  Unavailable,
} from '../../platform/errors.ts';
import type { Logger } from '../../platform/log.ts';

interface ErrorReport {
  readonly requestId: string;
  readonly log: Logger;
  /** The response key of a mutation's first command. Absent for other operations. */
  readonly firstCommand?: string | undefined;
}

/** The extensions of a refusal: the same data that a command's result has in its fields. */
function extensionsOf(refusal: Refusal): Record<string, unknown> {
  const { code, inputPath } = refusal;
  const problems = refusal.is('INVALID_INPUT')
    ? refusal.details.problems.map(({ path, message }) => ({ path: path.map(String), message }))
    : undefined;
  return { code, retryable: retryable[code], path: inputPath.map(String), problems };
}

/**
 * Makes the error that a caller may see; returns it, and throws nothing. Errors about the document or its
 * input (GraphQLErrors that wrap no other error) are returned unchanged. Refusals, rejected credentials,
 * exceeded rate limits, malformed requests and forms keep their text and get their code. A temporary fault
 * becomes UNAVAILABLE and is logged as a warning. Any other error is logged and replaced by INTERNAL, whose
 * text has the request id. `extensions.http` has the status and headers that an error requires, for example
 * 503 and Retry-After; refusals, INTERNAL and malformed forms (BAD_REQUEST, PAYLOAD_TOO_LARGE) have none.
 * `nothingWritten` is false for a mutation's later commands and for the fields of a result, because a command
 * may have been committed before them.
 * @param error also a GraphQLError that wraps the error of a resolver: its path and nodes are kept
 */
export function safeError(error: unknown, { requestId, log, firstCommand }: ErrorReport): GraphQLError {
  const original = error instanceof GraphQLError ? error.originalError : error;
  // Errors of graphql-js, of a scalar or of a limit are about the document and reveal nothing internal.
  if (error instanceof GraphQLError && (original === undefined || original instanceof GraphQLError)) {
    return error;
  }
  const where = error instanceof GraphQLError ? { nodes: error.nodes ?? null, path: error.path ?? null } : {};
  const say = (message: string, extensions: Record<string, unknown>) =>
    new GraphQLError(message, { ...where, extensions });
  if (original instanceof Refusal) return say(original.message, extensionsOf(original as Refusal));
  if (original instanceof BadCredential) {
    const { message, retryAfterSeconds: wait } = original;
    // No challenge: it would make the browser prompt for a password on the page.
    const headers = wait === undefined ? {} : { 'Retry-After': String(wait) };
    return say(message, {
      code: 'BAD_CREDENTIAL',
      retryable: wait !== undefined,
      http: { status: wait === undefined ? 401 : 429, headers },
    });
  }
  if (original instanceof RateLimited) {
    const { message, retryAfterSeconds } = original;
    const headers = { 'Retry-After': String(retryAfterSeconds) };
    const http = { status: 429, headers };
    return say(message, { code: 'RATE_LIMITED', retryable: true, retryAfterSeconds, http });
  }
  if (original instanceof BadRequest)
    return say(original.message, { code: 'BAD_REQUEST', http: { status: 400, headers: {} } });
  if (original instanceof TooMany) {
    const headers = { 'Retry-After': String(original.retryAfterSeconds) };
    const { message, code } = original;
    return say(message, { code, retryable: true, http: { status: 429, headers } });
  }
  const fault = asUnavailable(original);
  if (fault instanceof Unavailable) {
    log.warn({ err: fault, requestId }, 'unavailable');
    const retryAfter = String(fault.retryAfterSeconds);
    return say(fault.message, {
      code: 'UNAVAILABLE',
      retryable: true,
      nothingWritten: fault.nothingWritten && !mayFollowCommit(error, firstCommand),
      http: { status: 503, headers: { 'Retry-After': retryAfter } },
    });
  }
  const upload = ofUpload(original);
  if (upload !== undefined) return say(upload.message, { code: upload.code });
  log.error({ err: original, requestId }, 'fault');
  return say(`Something went wrong on our side; the request id is ${requestId}`, {
    code: 'INTERNAL',
    requestId,
  });
}

/** Whether the error is of anything but the first command itself. Commands run one after another. */
function mayFollowCommit(error: unknown, firstCommand: string | undefined): boolean {
  if (firstCommand === undefined || !(error instanceof GraphQLError) || error.path === undefined)
    return false;
  return error.path.length > 1 || error.path[0] !== firstCommand;
}

/** graphql-upload-ts reports a client's mistakes as http-errors with `expose`. */
function ofUpload(error: unknown): { message: string; code: string } | undefined {
  const { expose, status } = (error ?? {}) as { expose?: unknown; status?: unknown };
  if (!(error instanceof Error) || expose !== true || typeof status !== 'number') return undefined;
  return { message: error.message, code: status === 413 ? 'PAYLOAD_TOO_LARGE' : 'BAD_REQUEST' };
}
