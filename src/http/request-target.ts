import type { IncomingMessage } from 'node:http';

/**
 * Host names that need no further check. A name that ends in digits would be an address, and `xn--` has its
 * own rules.
 */
const plainHost = /^(?!.*xn--)(?:[a-z0-9-]+\.)*[a-z][a-z0-9-]*(?::\d{1,4})?$/i;

/**
 * Checks a request's target and Host. An absolute target (`http://host/path?query`) is rewritten in place:
 * `req.url` becomes its path and query, and Host its authority (RFC 9112 §3.2.2). Any other target stays as
 * it is.
 * @returns whether both are valid. False for a target that is neither a path, nor absolute, nor `*`, and for
 *   an invalid or repeated Host, so that building URLs from them cannot throw later. A missing Host is valid,
 *   as HTTP/1.0 has none.
 */
export function normalizeTarget(req: IncomingMessage): boolean {
  if (hasTwoHosts(req)) return false;
  const url = req.url ?? '';
  if (!url.startsWith('/') && url !== '*') {
    const absolute = /^https?:\/\/([^/?#]*)(.*)$/is.exec(url);
    if (absolute === null) return false;
    req.headers.host = absolute[1]!;
    req.url = absolute[2]!.startsWith('/') ? absolute[2]! : `/${absolute[2]!}`;
  }
  const { host } = req.headers;
  // HTTP/1.0 has no Host. Node requires one of HTTP/1.1.
  return host === undefined || plainHost.test(host) || isAuthority(host);
}

/** Whether a text is a host with an optional port, as in the header Host, and nothing else. */
export function isAuthority(host: string): boolean {
  return !/[\s/?#@\\,]/.test(host) && URL.canParse(`http://${host}/`);
}

/**
 * Node keeps the first of several Host headers. A proxy may have routed by another one, so RFC 9112 §3.2
 * requires that such a request is refused.
 */
function hasTwoHosts({ rawHeaders }: IncomingMessage): boolean {
  let count = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!;
    if (name.length === 4 && name.toLowerCase() === 'host') count += 1;
  }
  return count > 1;
}

/**
 * Decodes the percent-encoding of one segment of a path. Returns an empty text, which is never an id, when
 * the encoding is invalid.
 */
export function decodeSegment(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}
