import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from '../platform/log.ts';
import { type Door, notesOf, type Outcome, outcomeOf, type RequestNotes } from '../platform/request-notes.ts';

/** Called for each request when it ends. */
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
 * Creates the log of requests: one line for each, with who requested what and how it ended, but no content.
 * @param onRequestEnd called for each request when it ends
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
      const outcome = outcomeOf(notes, status, finished);
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
