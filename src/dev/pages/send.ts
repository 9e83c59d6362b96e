import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { writeHead } from '../../platform/response-head.ts';

export interface Page {
  readonly status?: number;
  /** Content-Type with its charset. */
  readonly type: string;
  readonly body: string | Buffer;
  /** Content-Security-Policy; what is no document needs none beside the strictest, which is the default. */
  readonly policy?: string;
  readonly headers?: OutgoingHttpHeaders;
}

/** Nothing may be loaded, and the answer counts as a page of nobody's, should a browser show it after all. */
export const inertPolicy =
  "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; sandbox";

/**
 * Answers with what every page of ours has: no sniffing, no referrer, no window or frame of another origin.
 */
export function sendPage(req: IncomingMessage, res: ServerResponse, page: Page): void {
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
