import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Authenticator } from '../auth/authenticate.ts';
import { addressKey } from '../auth/throttle.ts';
import type { RateLimits } from '../limits/rate-limits.ts';
import { BadRequest } from '../platform/errors.ts';
import { requestIdOf } from '../platform/http/send-response.ts';
import type { Logger } from '../platform/log.ts';
import type { Authenticate, RequestContext } from '../platform/request-context.ts';
import { notesOf } from '../platform/request-notes.ts';
import { isDirect, originOf, remoteAddressOf } from './caller-address.ts';
import { type ReceivePorts, receiveFor } from './receive-file.ts';

/** What signing in and making a request's context need. */
export interface BeginRequestPorts extends ReceivePorts {
  readonly authenticator: Authenticator;
  readonly rateLimits: RateLimits;
  readonly log: Logger;
  readonly now: () => Date;
  /** Whether to trust X-Forwarded-*, set by our own proxy. */
  readonly trustProxy: boolean;
  /** Used in URLs instead of the origin by which the caller reached us. Empty: URLs are relative. */
  readonly publicUrl?: string | undefined;
}

/**
 * Signs a request in and makes its context. Without a credential, the context has no viewer. The request is
 * counted against the rate limits of its address, and after sign-in of its user.
 * @param signInBy used instead of the request's credential
 * @throws BadRequest for two Idempotency-Key headers, BadCredential for a credential that is wrong or
 *   malformed, RateLimited, and Unavailable when it cannot be checked now
 */
export type BeginRequest = (
  req: IncomingMessage,
  res: ServerResponse,
  signInBy?: Authenticate,
) => Promise<RequestContext>;

/**
 * Creates the function that signs in a request of any route, before its body is read, and counts it
 * against the rate limits.
 */
export function createBeginRequest(ports: BeginRequestPorts): BeginRequest {
  const { authenticator, rateLimits, log, now, trustProxy, publicUrl } = ports;
  const publicOrigin = publicUrl ? new URL(publicUrl).origin : undefined;
  return async (req, res, signInBy) => {
    const { headers } = req;
    const notes = notesOf(req);
    const idempotencyKey = idempotencyKeyOf(req);
    const address = remoteAddressOf(req, trustProxy);
    const direct = () => isDirect(req);
    const signIn = signInBy ?? authenticator.signInBy(headers.authorization, address, direct);
    await rateLimits.count('address', addressKey(address));
    const viewer = await signIn();
    if (viewer !== undefined) {
      notes.viewerId = viewer.userId;
      await rateLimits.count('viewer', viewer.userId);
    }
    return {
      requestId: requestIdOf(res),
      viewer,
      signInAgain: signIn,
      idempotencyKey,
      origin: publicUrl ?? originOf(req, trustProxy),
      isOwnOrigin: (origin) => origin === publicOrigin || origin === originOf(req, trustProxy),
      now,
      log,
      receive: receiveFor(res, ports),
      notes,
    };
  };
}

/** A string of RFC 9651: `"k"`, where `\"` and `\\` are the only escapes. */
const structured = /^"((?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"/;
/** What may follow it: `;a=1`. The RFC requires recipients to ignore parameters that they do not know. */
const parameters = /^(?:; *[a-z*][a-z0-9_.*-]*(?:=(?:%?"(?:[^"\\]|\\["\\])*"|[^\s",;]+))?)*$/;

/**
 * The key in the `Idempotency-Key` header: a structured string, as in the IETF draft, or plain text. Both
 * spellings are the same key. A malformed structured string becomes an empty key, which the command rejects.
 * @throws BadRequest for two headers, because either may be meant
 */
function idempotencyKeyOf(req: IncomingMessage): string | undefined {
  const text = req.headers['idempotency-key'] as string | undefined;
  if (text === undefined) return undefined;
  // Node joins repeated headers with a comma, which a key may contain.
  const names = req.rawHeaders.filter((_, index) => index % 2 === 0);
  if (names.filter((name) => name.toLowerCase() === 'idempotency-key').length > 1)
    throw new BadRequest('The Idempotency-Key header was sent more than once');
  if (!text.startsWith('"')) return text;
  const [quoted, key] = structured.exec(text) ?? [];
  if (quoted === undefined || !parameters.test(text.slice(quoted.length))) return '';
  return key!.replace(/\\(["\\])/g, '$1');
}
