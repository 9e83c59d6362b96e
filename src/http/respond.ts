import type { IncomingMessage, ServerResponse } from 'node:http';
import { asUnavailable } from '../platform/database-faults.ts';
import { BadCredential, BadRequest, RateLimited, Unavailable } from '../platform/errors.ts';
import { requestIdOf, sendResponse } from '../platform/http/send-response.ts';
import type { Logger } from '../platform/log.ts';
import { noteCode, notesOf } from '../platform/request-notes.ts';

/**
 * Sends a whole response with this text as its body: `text/plain`, `nosniff` and `no-store`, unless `headers`
 * has other values. If a head has been sent already, the connection is closed instead.
 */
export function sendText(
  res: ServerResponse,
  status: number,
  text: string,
  headers: Record<string, string> = {},
): void {
  if (res.headersSent) return void res.destroy();
  const body = Buffer.from(text);
  const all = {
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': body.length,
    'X-Content-Type-Options': 'nosniff',
    'Cache-Control': 'no-store',
    ...headers,
  };
  sendResponse(res.req, res, { status, headers: all, body });
}

/**
 * Sends 405 with the methods that are allowed, unless the request's method is one of them.
 * @param methods GET and HEAD by default
 * @returns whether it was sent
 */
export function refuseMethod(
  req: IncomingMessage,
  res: ServerResponse,
  methods: readonly string[] = ['GET', 'HEAD'],
): boolean {
  if (methods.includes(req.method!)) return false;
  sendText(res, 405, 'Method not allowed\n', { Allow: methods.join(', ') });
  return true;
}

/** Sends a value as JSON, in the same way as `sendText` sends a text. */
export function sendJson(
  res: ServerResponse,
  status: number,
  value: unknown,
  headers: Record<string, string> = {},
): void {
  sendText(res, status, JSON.stringify(value), {
    'Content-Type': 'application/json; charset=utf-8',
    ...headers,
  });
}

/**
 * Sends the response for an error that a route has thrown, with a GraphQL error as JSON body: 401 for
 * BadCredential, or 429 if it asks the client to wait; 429 for RateLimited; 400 for BadRequest; 503 when the
 * database is not available. 429 and 503 have Retry-After. Any other error is logged, and 500 with the
 * request id is sent in place of its text. No response has a challenge (WWW-Authenticate).
 */
export function sendError(req: IncomingMessage, res: ServerResponse, error: unknown, log: Logger): void {
  const say = (
    status: number,
    message: string,
    extensions: { code: string; retryable: boolean },
    headers: Record<string, string> = {},
  ) => {
    noteCode(notesOf(req), extensions.code);
    sendJson(res, status, { errors: [{ message, extensions }] }, headers);
  };
  if (error instanceof BadCredential) {
    const wait = error.retryAfterSeconds;
    // No challenge: it would make the browser prompt for a password on the page.
    return say(
      wait === undefined ? 401 : 429,
      error.message,
      { code: 'BAD_CREDENTIAL', retryable: wait !== undefined },
      wait === undefined ? {} : { 'Retry-After': String(wait) },
    );
  }
  if (error instanceof RateLimited)
    return say(
      429,
      error.message,
      { code: 'RATE_LIMITED', retryable: true },
      { 'Retry-After': String(error.retryAfterSeconds) },
    );
  if (error instanceof BadRequest) return say(400, error.message, { code: 'BAD_REQUEST', retryable: false });
  const fault = asUnavailable(error);
  if (fault instanceof Unavailable)
    return say(
      503,
      fault.message,
      { code: 'UNAVAILABLE', retryable: true },
      { 'Retry-After': String(fault.retryAfterSeconds) },
    );
  const requestId = requestIdOf(res);
  log.error({ err: error, requestId }, 'fault');
  return say(500, `Something went wrong on our side; the request id is ${requestId}`, {
    code: 'INTERNAL',
    retryable: false,
  });
}

/** Value of a WWW-Authenticate header that makes a browser prompt for a password. */
export const passwordChallenge = 'Basic realm="Ticketwire", charset="UTF-8"';
/** Body of the 403 for a download with a credential that may not read. */
export const withoutRead = 'This credential does not have the scope "read"\n';
