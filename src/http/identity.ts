import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

/** What is known of a request before any door has looked at it. */
export interface Identity {
  /** In every answer, log line and fault that has to do with the request. */
  readonly requestId: string;
  /** A signal that is aborted when the caller goes away before the answer is complete; made for whoever asks, as few do. */
  readonly whenAway: () => AbortSignal;
}

const identities = new WeakMap<IncomingMessage, Identity>();

export function identify(req: IncomingMessage, res: ServerResponse): Identity {
  const whenAway = () => {
    const away = new AbortController();
    const look = () => {
      if (!res.writableFinished) away.abort();
    };
    if (res.closed) look();
    else res.once('close', look);
    return away.signal;
  };
  const identity = { requestId: requestIdOf(req.headers['x-request-id']), whenAway };
  res.setHeader('X-Request-Id', identity.requestId);
  identities.set(req, identity);
  return identity;
}

export function identityOf(req: IncomingMessage): Identity {
  return identities.get(req)!;
}

/** A caller's own id is kept when it can do no harm in a log or a header. */
function requestIdOf(offered: string | string[] | undefined): string {
  return typeof offered === 'string' && /^[\w.:-]{8,64}$/.test(offered) ? offered : randomUUID();
}
