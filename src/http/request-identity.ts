import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { nameRequest } from '../platform/http/response-head.ts';

/** What is known of each request before it is routed. */
export interface RequestIdentity {
  /** Appears in the response and in log lines of the request. */
  readonly requestId: string;
  /**
   * Creates a signal that aborts when the caller disconnects before the response is complete. Created on
   * demand, because few requests need one.
   */
  readonly disconnectSignal: () => AbortSignal;
}

/** Stored on the request: a WeakMap of all current requests would make each garbage collection slower. */
const identity = Symbol('identity');
type Identified = IncomingMessage & { [identity]?: RequestIdentity };

/** Identifies a request, and sets the response's X-Request-Id. A caller's id is used if it is harmless. */
export function identify(req: IncomingMessage, res: ServerResponse): RequestIdentity {
  const disconnectSignal = () => {
    const away = new AbortController();
    const abortUnlessFinished = () => {
      if (!res.writableFinished) away.abort();
    };
    if (res.closed) abortUnlessFinished();
    else res.once('close', abortUnlessFinished);
    return away.signal;
  };
  const requestId = requestIdOf(req.headers['x-request-id']);
  nameRequest(res, requestId);
  const known: RequestIdentity = { requestId, disconnectSignal };
  (req as Identified)[identity] = known;
  return known;
}

/** What `identify` has found of this request. */
export function identityOf(req: IncomingMessage): RequestIdentity {
  return (req as Identified)[identity]!;
}

/** Keeps a caller's id if it is harmless in logs and headers. */
function requestIdOf(offered: string | string[] | undefined): string {
  return typeof offered === 'string' && /^[\w.:-]{8,64}$/.test(offered) ? offered : randomUUID();
}
