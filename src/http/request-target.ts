import type { IncomingMessage } from 'node:http';

/**
 * Names of which nothing has to be asked further; an end in digits would be an address, and an `xn--` has
 * rules of its own.
 */
const plainHost = /^(?!.*xn--)(?:[a-z0-9-]+\.)*[a-z][a-z0-9-]*(?::\d{1,4})?$/i;

/**
 * Takes a request for an absolute URI as one for its path at its authority, whatever Host says (RFC 9112
 * §3.2.2).
 * @returns false for a target or a Host that names no place: nothing that is made of them may throw later
 */
export function readTarget(req: IncomingMessage): boolean {
  const url = req.url ?? '';
  if (!url.startsWith('/') && url !== '*') {
    const absolute = /^https?:\/\/([^/?#]*)(.*)$/is.exec(url);
    if (absolute === null) return false;
    req.headers.host = absolute[1]!;
    req.url = absolute[2]!.startsWith('/') ? absolute[2]! : `/${absolute[2]!}`;
  }
  const { host } = req.headers;
  // HTTP/1.0 knows no Host; of HTTP/1.1 node asks for one.
  return host === undefined || plainHost.test(host) || isAuthority(host);
}

/** A host with perhaps a port, and nothing beside it. */
function isAuthority(host: string): boolean {
  return !/[\s/?#@\\,]/.test(host) && URL.canParse(`http://${host}/`);
}
