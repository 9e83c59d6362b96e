import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { inSpan, type Span, SpanKind } from '../observe/tracing.ts';
import { nameRequest } from '../platform/http/send-response.ts';
import type { Logger } from '../platform/log.ts';
import { type Door, notesOf, requestOutcome } from '../platform/request-notes.ts';
import { cutStalled, type StallLimits } from './connections/cut-stalled.ts';
import { boundConnections } from './connections/limit.ts';
import { createRequestLines, type OnRequestEnd } from './request-log.ts';
import { normalizeTarget } from './request-target.ts';
import { sendError, sendText } from './respond.ts';

/**
 * Handles a request and sends its response. What it throws is sent by `sendError`.
 * @param path the request's path, not decoded and without the query
 */
export type Handle = (req: IncomingMessage, res: ServerResponse, path: string) => void | Promise<void>;

/** A handler and its paths. The first route in the list that matches handles the request. */
export interface Route {
  /** Name of the route in logs and metrics. */
  readonly door: Door;
  /** Matches itself and all paths below it. */
  readonly prefix: string;
  /**
   * Folds other spellings of this route's paths. A path belongs to the route when it lies below the prefix as
   * sent or as folded, so that its clients always get the route's own errors.
   */
  readonly fold?: (path: string) => string;
  /** Matches the prefix only. */
  readonly exact?: boolean;
  readonly handle: Handle;
  /**
   * Sends the error for a request that the server itself rejects: 400 for an invalid target or Host, 417 for
   * an unknown expectation, 501 for a transfer coding. Plain text by default.
   */
  readonly refuse?: (req: IncomingMessage, res: ServerResponse, status: number, message: string) => void;
}

/** What the server needs. */
export interface ServerPorts {
  readonly log: Logger;
  /** Called for each request when its response has closed. */
  readonly onRequestEnd?: OnRequestEnd | undefined;
  /** When slow connections are cut. The default is that of `cutStalled`. */
  readonly stallLimits?: StallLimits | undefined;
}

/**
 * Creates the HTTP server. It does not listen yet. For each request, it finds the route, calls the handler in
 * a span of tracing, and writes the line of log. It sends 404 for a path without a route, 400 for an invalid
 * target or Host, 417 for an unknown expectation, 501 for a body in another transfer coding than `chunked`,
 * and the response of `sendError` for what a handler throws.
 * `100 Continue` is sent only when a handler begins to read the body. A request's head has to arrive within
 * 20 s and has at most 32 KiB; the whole request has to arrive within 10 minutes. A connection is closed
 * after 65 s without a request, and when it stalls (`stallLimits`).
 */
export function createHttpServer(
  routes: readonly Route[],
  { log, onRequestEnd, stallLimits }: ServerPorts,
): Server {
  const logWhenDone = createRequestLines(log, onRequestEnd);
  const begin = (req: IncomingMessage, res: ServerResponse) => {
    const named = normalizeTarget(req);
    const path = pathOf(req.url ?? '/');
    const route = routes.find((candidate) => matches(candidate, path));
    if (route !== undefined) notesOf(req).door = route.door;
    logWhenDone(nameRequest(req, res), req, res, path);
    const { refuse = refuseInText } = route ?? {};
    const coded = isCoded(req);
    if (named && !coded) return { path, route, refuse };
    res.setHeader('Connection', 'close');
    if (coded) refuse(req, res, 501, 'The only supported Transfer-Encoding is chunked.');
    else refuse(req, res, 400, 'The request target or its Host header is invalid.');
    return undefined;
  };
  const server = createServer(
    {
      // Limits for the head and the body. A slow sender occupies only a socket.
      headersTimeout: 20_000,
      requestTimeout: 10 * 60_000,
      keepAliveTimeout: 65_000,
      maxHeaderSize: 32 * 1024,
      // An offer to upgrade to HTTP/2 is ignored, as the standard allows.
      shouldUpgradeCallback: () => false,
    },
    (req, res) => {
      const visit = begin(req, res);
      if (visit === undefined) return;
      const { path, route } = visit;
      if (route === undefined) return sendText(res, 404, 'Not found\n');
      void inSpan(
        () => spanOf(req, res, route),
        () => Promise.try(route.handle, req, res, path).catch((error) => sendError(req, res, error, log)),
      );
    },
  );
  server.maxRequestsPerSocket = 0;
  cutStalled(server, stallLimits);
  boundConnections(server, log);
  server.on('checkContinue', (req: IncomingMessage, res: ServerResponse) => {
    continueWhenRead(req, res);
    server.emit('request', req, res);
  });
  server.on('checkExpectation', (req: IncomingMessage, res: ServerResponse) => {
    begin(req, res)?.refuse(req, res, 417, 'The only supported expectation is 100-continue.');
  });
  return server;
}

const spanOf = (req: IncomingMessage, res: ServerResponse, { prefix }: Route): Span => ({
  name: `${req.method} ${prefix}`,
  kind: SpanKind.SERVER,
  attributes: { 'http.request.method': req.method!, 'http.route': prefix },
  traceparent: req.headers.traceparent?.toString(),
  atEnd: () => ({
    'http.response.status_code': res.statusCode,
    fault: requestOutcome(notesOf(req), res.statusCode, true) === 'fault',
  }),
});

/**
 * Sends `100 Continue` when something begins to read the body, so that all checks before that are answered
 * first. A waiting client then has not sent a body in vain. Discarding the rest of a body does not count as
 * reading.
 */
function continueWhenRead(req: IncomingMessage, res: ServerResponse): void {
  const onListener = (event: string | symbol) => {
    if (event !== 'data' && event !== 'readable') return;
    req.off('newListener', onListener);
    if (!res.headersSent && !res.destroyed) res.writeContinue();
  };
  req.on('newListener', onListener);
}

/** Whether the body has a coding inside its chunks (`gzip, chunked`), which Node passes on as it is. */
const isCoded = ({ headers }: IncomingMessage): boolean =>
  (headers['transfer-encoding'] ?? 'chunked').toLowerCase() !== 'chunked';

const refuseInText: NonNullable<Route['refuse']> = (_req, res, status, message) =>
  sendText(res, status, `${message}\n`);

function pathOf(url: string): string {
  const end = url.search(/[?#]/);
  return end < 0 ? url : url.slice(0, end);
}

const matches = (route: Route, path: string): boolean =>
  liesBelow(route, path) || (route.fold !== undefined && liesBelow(route, route.fold(path)));

function liesBelow({ prefix, exact = false }: Route, path: string): boolean {
  if (!path.startsWith(prefix)) return false;
  return path.length === prefix.length || (!exact && (prefix.endsWith('/') || path[prefix.length] === '/'));
}
