import type { IncomingMessage, ServerResponse } from 'node:http';
import { writeHead } from '../platform/response-head.ts';
import type { Reply } from './reply.ts';

/** What is left of a body up to this many bytes is read to its end, and the connection goes on. */
const smallRest = 1024 * 1024;
/**
 * A caller that is still sending is listened to for so long after its answer, or it would be reset before
 * reading it.
 */
const lingerMs = 10_000;

/** Sends an answer, also to a caller that has not finished sending. */
export function send(
  request: IncomingMessage,
  response: ServerResponse,
  { status, headers, body }: Reply,
): void {
  if (response.destroyed || response.headersSent) return;
  const announced = Number(
    request.headers['content-length'] ?? (request.headers['transfer-encoding'] ? Infinity : 0),
  );
  // Who waits for `100 Continue` and gets the answer instead need not send its body: what comes next cannot
  // be told from it.
  const waiting = request.headers.expect !== undefined && request.readableFlowing === null;
  if (request.complete || (announced <= smallRest && !waiting)) {
    // Byte for byte as text, which node puts behind the head and sends in one piece; bytes would be a second
    // one.
    writeHead(response, status, headers).end(body.toString('latin1'), 'latin1');
    return;
  }
  writeHead(response, status, { ...headers, Connection: 'close' });
  response.write(request.method === 'HEAD' ? '' : body);
  const end = () => {
    clearTimeout(timer);
    response.end();
  };
  const timer = setTimeout(end, lingerMs).unref();
  request.once('end', end).once('close', end).once('error', end).resume();
}
