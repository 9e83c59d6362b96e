import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { Authenticator } from '../auth/authenticate.ts';
import type { RequestContext } from '../context.ts';
import type { Logger } from '../log.ts';
import { idempotencyKeyOf } from './idempotency-key.ts';
import { identityOf } from './identity.ts';

export interface BeginPorts {
  readonly authenticator: Authenticator;
  readonly log: Logger;
  readonly now: () => Date;
  /** Whether X-Forwarded-* are by a proxy of ours. */
  readonly trustProxy: boolean;
}

/** @throws BadRequest, BadCredential, Unavailable */
export type Begin = (req: IncomingMessage) => Promise<RequestContext>;

/** The one place where a request of any door gets its viewer, before its body is read. */
export function createBegin({ authenticator, log, now, trustProxy }: BeginPorts): Begin {
  return async (req) => {
    const { headers } = req;
    const { requestId, whenAway } = identityOf(req);
    const idempotencyKey = idempotencyKeyOf(req);
    const address = remoteAddressOf(req, trustProxy);
    const signIn = () => authenticator.authenticate(headers.authorization, address);
    const viewer = await signIn();
    return {
      requestId,
      viewer,
      signInAgain: signIn,
      idempotencyKey,
      origin: originOf(req, trustProxy),
      now,
      log,
      whenAway,
    };
  };
}

/** By whom the caller is throttled. */
export function remoteAddressOf(req: IncomingMessage, trustProxy: boolean): string {
  const forwarded = trustProxy
    ? String(req.headers['x-forwarded-for'] ?? '')
        .split(',')
        .at(-1)!
        .trim()
    : '';
  return forwarded || (req.socket.remoteAddress ?? 'unknown');
}

/** Absolute origin by which the caller reached us. A Host that is none would end up in links, so it is not believed. */
export function originOf(req: IncomingMessage, trustProxy: boolean): string {
  const forwarded = (name: string) =>
    trustProxy
      ? String(req.headers[name] ?? '')
          .split(',')[0]!
          .trim()
      : '';
  const host = forwarded('x-forwarded-host') || (req.headers.host ?? 'localhost');
  const tls = (req.socket as TLSSocket).encrypted === true;
  const protocol = forwarded('x-forwarded-proto') === 'https' || tls ? 'https' : 'http';
  return /^[A-Za-z0-9.-]+(:\d{1,5})?$|^\[[0-9A-Fa-f:.]+\](:\d{1,5})?$/.test(host)
    ? `${protocol}://${host}`
    : `${protocol}://localhost`;
}
