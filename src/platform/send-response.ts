import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { writeHead } from './response-head.ts';

/** What is left of a body up to this many bytes is read to its end, and the connection goes on. */
const smallRest = 1024 * 1024;
/**
 * How long an answered sender may go on sending, milliseconds, and how much of it is read and thrown away.
 */
const patienceMs = 2000;
const patienceBytes = 64 * 1024 * 1024;
/**
 * Bytes of an answer that are written at once: a long one is seen to move, or not to, as its reader takes
 * it.
 */
const pieceBytes = 256 * 1024;

export interface Answer {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  readonly body: string | Buffer;
}

/**
 * Sends a whole answer, also to a caller who has not finished sending. Closing at once would reset the
 * connection, and the answer might be lost on its way: so the rest is thrown away for a while, and only
 * then is the connection closed.
 */
export function sendAnswer(
  req: IncomingMessage,
  res: ServerResponse,
  { status, headers, body }: Answer,
): void {
  if (res.destroyed || res.headersSent) return;
  const rest = restOf(req);
  // A client that waits for `100 Continue` may leave its body out: what follows cannot be told from one.
  const isWaiting = req.headers.expect !== undefined && req.readableFlowing === null;
  const closes = isWaiting || !res.shouldKeepAlive || res.getHeader('connection') === 'close';
  if (rest > 0 && (closes || rest > smallRest)) {
    // The last bytes may be here already, and only not have been looked at.
    setImmediate(() => sendAndLinger(req, res, { status, headers, body }));
    return;
  }
  writeHead(res, status, headers);
  // As Latin-1, a short one is joined to the head; node would write bytes as a second packet.
  if (body.length <= pieceBytes)
    typeof body === 'string' ? res.end(body) : res.end(body.toString('latin1'), 'latin1');
  // A reader who goes away in the middle is nobody's to be told of.
  else pipeline(Readable.from(piecesOf(body)), res).catch(() => {});
  if (rest > 0) req.unpipe().resume();
}

/** Bytes that may still arrive. */
function restOf(req: IncomingMessage): number {
  if (req.complete || req.destroyed) return 0;
  return Number(
    req.headers['content-length'] ?? (req.headers['transfer-encoding'] ? Number.POSITIVE_INFINITY : 0),
  );
}

function sendAndLinger(req: IncomingMessage, res: ServerResponse, { status, headers, body }: Answer): void {
  if (res.destroyed || res.headersSent) return;
  if (req.complete) return void writeHead(res, status, headers).end(body);
  writeHead(res, status, { ...headers, Connection: 'close' });
  // Its length is in the head, so that its reader knows that it is complete before the connection is closed.
  if (req.method !== 'HEAD') res.write(body);
  let bytes = 0;
  const end = () => {
    clearTimeout(timer);
    res.end();
  };
  const timer = setTimeout(end, patienceMs).unref();
  // Whoever has read it until now reads no further.
  req.unpipe();
  req.removeAllListeners('data').on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > patienceBytes) end();
  });
  req.once('end', end).once('close', end).once('error', end).resume();
}

function* piecesOf(body: string | Buffer): Iterable<Buffer> {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}
