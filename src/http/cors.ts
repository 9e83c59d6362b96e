import type { IncomingMessage, ServerResponse } from 'node:http';
import { writeHead } from '../platform/http/send-response.ts';
import type { Handle } from './server.ts';

/**
 * Request headers that pages of other origins may send: for queries, uploads, resumed streams and resumable
 * uploads.
 */
const allowedHeaders = [
  ...[
    'Accept',
    'Authorization',
    'Content-Type',
    'Range',
    'If-Range',
    'If-None-Match',
    'X-Request-Id',
    'Traceparent',
  ],
  ...[
    'GraphQL-Preflight',
    'Apollo-Require-Preflight',
    'X-Requested-With',
    'Idempotency-Key',
    'Last-Event-ID',
  ],
  ...['Apollographql-Client-Name', 'Apollographql-Client-Version', 'X-Apollo-Operation-Name'],
  ...['Upload-Offset', 'Upload-Length', 'Upload-Complete', 'Upload-Metadata', 'Upload-Draft-Interop-Version'],
  ...['Tus-Resumable', 'Content-Disposition', 'Content-Encoding', 'Digest', 'Repr-Digest'],
].join(', ');
/** Response headers that such a page may read. */
const exposedHeaders = [
  ...['X-Request-Id', 'Retry-After', 'Location', 'Content-Disposition', 'Content-Length', 'Content-Range'],
  ...['Accept-Ranges', 'ETag', 'Allow', 'Upload-Offset', 'Upload-Length', 'Upload-Complete', 'Upload-Limit'],
  ...['Upload-Draft-Interop-Version', 'Repr-Digest', 'Tus-Resumable', 'Idempotency-Replayed'],
].join(', ');
const allowedMethods = 'GET, HEAD, POST, PUT, PATCH, DELETE';
/** Seconds for which browsers may cache a preflight. Chromium caches it for two hours at most. */
const askAgainAfter = '7200';

/**
 * Creates a wrapper of handlers that lets pages of other origins read their responses, also with the
 * credentials that a browser adds automatically. With `*`, every page may, but without these credentials. It
 * answers preflights itself with 204; for another origin, without the headers that allow the request.
 * Requests of other origins are still handled: only the headers are missing that let a page read the
 * response. Without origins, handlers are returned unchanged.
 * @param origins exact origins, such as `https://desk.example.com`, or `*`
 */
export function createCors(origins: ReadonlySet<string>): (handle: Handle) => Handle {
  const isAllowed = (origin: string) => origins.has(origin) || origins.has('*');

  function allow({ headers: { origin } }: IncomingMessage, res: ServerResponse): boolean {
    res.setHeader('Vary', 'Origin');
    if (origin === undefined || !isAllowed(origin)) return false;
    res.setHeader('Access-Control-Allow-Origin', origins.has(origin) ? origin : '*');
    if (origins.has(origin)) res.setHeader('Access-Control-Allow-Credentials', 'true');
    res.setHeader('Access-Control-Expose-Headers', exposedHeaders);
    return true;
  }

  if (origins.size === 0) return (handle) => handle;
  return (handle) => (req, res, path) => {
    const isAllowedPage = allow(req, res);
    if (req.method !== 'OPTIONS' || req.headers['access-control-request-method'] === undefined)
      return handle(req, res, path);
    if (isAllowedPage) {
      res.setHeader('Access-Control-Allow-Methods', allowedMethods);
      res.setHeader('Access-Control-Allow-Headers', allowedHeaders);
      res.setHeader('Access-Control-Max-Age', askAgainAfter);
    }
    writeHead(res, 204, { 'Content-Length': 0 }).end();
  };
}
