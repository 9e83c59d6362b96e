import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { nameRequest } from '../platform/response-head.ts';

/** What is known of a request before any door has looked at it. */
export interface RequestIdentity {
  /** In every answer, log line and fault that has to do with the request. */
  readonly requestId: string;
  /**
   * A signal that is aborted when the caller goes away before the answer is complete; made for whoever asks,
   * as few do.
   */
  readonly whenAway: () => AbortSignal;
}

/** On the request itself: a weak map of all that are under way costs each collection of garbage something. */
const identity = Symbol('identity');
type Identified = IncomingMessage & { [identity]?: RequestIdentity };

export function identify(req: IncomingMessage, res: ServerResponse): RequestIdentity {
  const whenAway = () => {
    const away = new AbortController();
    const look = () => {
      if (!res.writableFinished) away.abort();
    };
    if (res.closed) look();
    else res.once('close', look);
    return away.signal;
  };
  const requestId = requestIdOf(req.headers['x-request-id']);
  nameRequest(res, requestId);
  const known: RequestIdentity = { requestId, whenAway };
  (req as Identified)[identity] = known;
  return known;
}

export function identityOf(req: IncomingMessage): RequestIdentity {
  return (req as Identified)[identity]!;
}

/** A caller's own id is kept when it can do no harm in a log or a header. */
function requestIdOf(offered: string | string[] | undefined): string {
  return typeof offered === 'string' && /^[\w.:-]{8,64}$/.test(offered) ? offered : randomUUID();
}
