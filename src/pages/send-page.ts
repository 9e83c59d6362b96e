import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { writeHead } from '../platform/http/send-response.ts';

/** A response of the ledger, the inbox or GraphiQL: a page, a file or JSON. */
export interface PageResponse {
  /** 200 by default. */
  readonly status?: number;
  /** Content-Type with its charset. */
  readonly type: string;
  readonly body: string | Buffer;
  /**
   * Content-Security-Policy. The default blocks all loading and scripts, which suits everything but HTML
   * pages.
   */
  readonly policy?: string;
  /** Further headers. They replace those that `sendPage` sets. */
  readonly headers?: OutgoingHttpHeaders;
}

/** Blocks all loading, and gives the response an opaque origin if a browser renders it. */
const inertPolicy =
  "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; sandbox";

/**
 * Sends a whole response with the security headers that all of them have: no sniffing, no referrer, no access
 * by windows of other origins and, unless `page.headers` say otherwise, no caching. Only the default policy
 * prevents framing, so a `page.policy` must say who may frame the page. The body is omitted for HEAD.
 */
export function sendPage(req: IncomingMessage, res: ServerResponse, page: PageResponse): void {
  const body = Buffer.isBuffer(page.body) ? page.body : Buffer.from(page.body);
  writeHead(res, page.status ?? 200, {
    'content-type': page.type,
    'content-length': body.byteLength,
    'content-security-policy': page.policy ?? inertPolicy,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'cache-control': 'no-store',
    ...page.headers,
  });
  res.end(req.method === 'HEAD' ? undefined : body);
}

/** Sends a plain text as `sendPage` does. */
export function sendPlainPage(
  req: IncomingMessage,
  res: ServerResponse,
  status: number,
  body: string,
  headers: OutgoingHttpHeaders = {},
): void {
  sendPage(req, res, { status, type: 'text/plain; charset=utf-8', body, headers });
}
