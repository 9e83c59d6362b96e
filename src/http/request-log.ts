import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from '../platform/log.ts';
import {
  type Door,
  notesOf,
  type Outcome,
  type RequestNotes,
  requestOutcome,
} from '../platform/request-notes.ts';

/**
 * Called once for each request, when its response has closed.
 * @param status the response's HTTP status
 * @param seconds from the request's beginning to the close of its response
 */
export type OnRequestEnd = (notes: RequestNotes, status: number, outcome: Outcome, seconds: number) => void;

/** Requested by monitoring every few seconds, so logged at level debug. */
const ofMachines: ReadonlySet<string> = new Set(['health', 'metrics']);

/** Maximum characters of a path in the log: anyone can send 32 KiB. */
const longestPath = 200;

/** In the URL of a download, the file's name follows its id. A person wrote it, so it is not logged. */
function loggedPath(door: Door, path: string): string {
  const shown = door === 'attachments' ? path.split('/', 3).join('/') : path;
  return shown.length > longestPath ? `${shown.slice(0, longestPath)}…` : shown;
}

/**
 * Creates the log of requests. Content is never logged.
 * @param onRequestEnd called for each request when its response has closed, just before its line is written
 * @returns a function to call when a request begins, with its path without the query. When the response
 *   closes, it writes one line: request id, entry point, method, path, operation, user id, status, outcome,
 *   codes, milliseconds, and `cut` if the response was not sent completely. The path is cut after 200
 *   characters, and the name of a downloaded file is left out. The level is `info`, and `debug` for `/health`
 *   and `/metrics`.
 */
export function createRequestLines(log: Logger, onRequestEnd: OnRequestEnd = () => {}) {
  // No redaction: the line has known fields only, and searching it for secrets would take longer than logging
  // it.
  const requests = log.child({}, { redact: [] });
  return (requestId: string, req: IncomingMessage, res: ServerResponse, path: string): void => {
    const from = performance.now();
    res.once('close', () => {
      const took = performance.now() - from;
      const notes = notesOf(req);
      const { statusCode: status, writableFinished: finished } = res;
      const outcome = requestOutcome(notes, status, finished);
      onRequestEnd(notes, status, outcome, took / 1000);
      const { door, operation, kind, viewerId, codes } = notes;
      const ms = Math.round(10 * took) / 10;
      const line = {
        requestId,
        door,
        method: req.method,
        path: loggedPath(door, path),
        kind,
        operation,
        viewerId,
      };
      const end = { status, outcome, codes, ms, ...(finished ? {} : { cut: true }) };
      requests[ofMachines.has(door) ? 'debug' : 'info']({ ...line, ...end }, 'request');
    });
  };
}
