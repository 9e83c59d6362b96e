import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { inSpan, SpanKind, type SpanOptions } from '../observe/tracing.ts';
import type { Logger } from '../platform/log.ts';
import { type Door, notedOf, outcomeOf } from '../platform/request-notes.ts';
import { identify } from './request-id.ts';
import { createRequestLines, type RequestSeen } from './request-line.ts';
import { readTarget } from './request-target.ts';
import { answerFault, answerText } from './respond.ts';
import { cutStalled, type Patience } from './slow-connections.ts';

export type Handle = (req: IncomingMessage, res: ServerResponse, path: string) => void | Promise<void>;

/** What answers which path; the first that matches. `prefix` matches itself and whatever lies below it. */
export interface Route {
  readonly door: Door;
  readonly prefix: string;
  /**
   * How else this route's clients write its paths. A path is the route's when it lies below the prefix as it
   * was sent or when it is folded, so that whoever aims at the route is answered in the route's own words.
   */
  readonly fold?: (path: string) => string;
  /** Nothing below it. */
  readonly exact?: boolean;
  readonly handle: Handle;
  /** Tells this route's clients what the server refuses for them; plain text unless given. */
  readonly refuse?: (req: IncomingMessage, res: ServerResponse, status: number, message: string) => void;
}

export interface ServerPorts {
  readonly log: Logger;
  /** Told of each request when it is over. */
  readonly seen?: RequestSeen | undefined;
  readonly patience?: Patience | undefined;
}

/**
 * The process's one HTTP server: it knows paths, time-outs and how to end; what is answered is the routes'
 * matter.
 */
export function createHttpServer(routes: readonly Route[], { log, seen, patience }: ServerPorts): Server {
  const logWhenDone = createRequestLines(log, seen);
  const begin = (req: IncomingMessage, res: ServerResponse) => {
    const named = readTarget(req);
    const path = (req.url ?? '/').split(/[?#]/, 1)[0]!;
    const route = routes.find((candidate) => matches(candidate, path));
    if (route !== undefined) notedOf(req).door = route.door;
    logWhenDone(identify(req, res).requestId, req, res, path);
    const { refuse = refuseInText } = route ?? {};
    if (named) return { path, route, refuse };
    res.setHeader('Connection', 'close');
    refuse(req, res, 400, 'The request names no host.');
    return undefined;
  };
  const server = createServer(
    {
      // Between the first byte of a request and the last of its head, and of its body: a slow sender holds a
      // socket, not more.
      headersTimeout: 20_000,
      requestTimeout: 10 * 60_000,
      keepAliveTimeout: 65_000,
      maxHeaderSize: 32 * 1024,
      // A client that offers to speak HTTP/2 is answered in HTTP/1.1, as the standard has it.
      shouldUpgradeCallback: () => false,
    },
    (req, res) => {
      const visit = begin(req, res);
      if (visit === undefined) return;
      const { path, route } = visit;
      if (route === undefined) return answerText(res, 404, 'Not found\n');
      void inSpan(`${req.method} ${route.prefix}`, spanOf(req, res, route), () =>
        Promise.try(route.handle, req, res, path).catch((error) => answerFault(req, res, error, log)),
      );
    },
  );
  server.maxRequestsPerSocket = 0;
  cutStalled(server, patience);
  server.on('checkContinue', (req: IncomingMessage, res: ServerResponse) => {
    continueWhenRead(req, res);
    server.emit('request', req, res);
  });
  server.on('checkExpectation', (req: IncomingMessage, res: ServerResponse) => {
    begin(req, res)?.refuse(req, res, 417, 'Of all expectations only 100-continue is known here.');
  });
  return server;
}

const spanOf = (req: IncomingMessage, res: ServerResponse, { prefix }: Route): SpanOptions => ({
  kind: SpanKind.SERVER,
  attributes: { 'http.request.method': req.method!, 'http.route': prefix },
  traceparent: req.headers.traceparent?.toString(),
  atEnd: () => ({
    'http.response.status_code': res.statusCode,
    fault: outcomeOf(notedOf(req), res.statusCode, true) === 'fault',
  }),
});

/**
 * Says `100 Continue` when somebody begins to read the body, so that whatever is judged before is answered
 * before: a client that waits has then sent nothing that it would have to send again. Throwing the rest of a
 * body away is no reading.
 */
function continueWhenRead(req: IncomingMessage, res: ServerResponse): void {
  const onListener = (event: string | symbol) => {
    if (event !== 'data' && event !== 'readable') return;
    req.off('newListener', onListener);
    if (!res.headersSent && !res.destroyed) res.writeContinue();
  };
  req.on('newListener', onListener);
}

const refuseInText: NonNullable<Route['refuse']> = (_req, res, status, message) =>
  answerText(res, status, `${message}\n`);

function matches({ prefix, fold, exact = false }: Route, path: string): boolean {
  const below = (a: string) =>
    a === prefix || (!exact && a.startsWith(prefix.endsWith('/') ? prefix : `${prefix}/`));
  return below(path) || (fold !== undefined && below(fold(path)));
}
