import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Logger } from '../log.ts';
import { answerFault, answerText } from './answer.ts';
import { type Identity, identify } from './identity.ts';
import { cutStalled, type Patience } from './stalled.ts';
import { readTarget } from './target.ts';

export type Handle = (req: IncomingMessage, res: ServerResponse, path: string) => void | Promise<void>;

/** What answers which path; the first that matches. `prefix` matches itself and whatever lies below it. */
export interface Route {
  readonly prefix: string;
  /** The legacy door's paths have no case. */
  readonly ignoreCase?: boolean;
  /** Nothing below it. */
  readonly exact?: boolean;
  readonly handle: Handle;
}

/** The process's one HTTP server: it knows paths, time-outs and how to end; what is answered is the routes' matter. */
export function createHttpServer(routes: readonly Route[], log: Logger, patience?: Patience): Server {
  // All that a request's line says is named below, and nothing of it is hidden: looking for what would be takes longer than the line.
  const requests = log.child({}, { redact: [] });
  const server = createServer(
    {
      // Between the first byte of a request and the last of its head, and of its body: a slow sender holds a socket, not more.
      headersTimeout: 20_000,
      requestTimeout: 10 * 60_000,
      keepAliveTimeout: 65_000,
      maxHeaderSize: 32 * 1024,
      // A client that offers to speak HTTP/2 is answered in HTTP/1.1, as the standard has it.
      shouldUpgradeCallback: () => false,
    },
    (req, res) => {
      const isReadable = readTarget(req);
      const path = (req.url ?? '/').split(/[?#]/, 1)[0]!;
      logWhenDone(identify(req, res), req, res, path, requests);
      if (!isReadable) return answerText(res, 400, 'The request names no host\n', { Connection: 'close' });
      const route = routes.find((candidate) => matches(candidate, path));
      if (route === undefined) return answerText(res, 404, 'Not found\n');
      Promise.try(route.handle, req, res, path).catch((error) => answerFault(req, res, error, log));
    },
  );
  server.maxRequestsPerSocket = 0;
  cutStalled(server, patience);
  return server;
}

/** One line a request: who asked for what is in it, what was said is not. */
function logWhenDone(
  { requestId }: Identity,
  req: IncomingMessage,
  res: ServerResponse,
  path: string,
  log: Logger,
): void {
  const from = performance.now();
  res.once('close', () => {
    const ms = Math.round(performance.now() - from);
    const { method } = req;
    const cut = res.writableFinished ? {} : { cut: true };
    log.info({ requestId, method, path, status: res.statusCode, ms, ...cut }, 'request');
  });
}

function matches({ prefix, ignoreCase = false, exact = false }: Route, path: string): boolean {
  const [a, b] = ignoreCase ? [path.toLowerCase(), prefix.toLowerCase()] : [path, prefix];
  return a === b || (!exact && a.startsWith(b.endsWith('/') ? b : `${b}/`));
}
