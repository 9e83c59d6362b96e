import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { writeHead } from './response-head.ts';

/** Up to this many remaining bytes of a request body are drained, and the connection stays open. */
const smallRest = 1024 * 1024;
/** How long a client may go on sending after its response, milliseconds, and how many bytes are discarded. */
const patienceMs = 2000;
const patienceBytes = 64 * 1024 * 1024;
/** Bytes of a response per write, so that progress of a long one can be observed. */
const pieceBytes = 256 * 1024;

export interface WholeResponse {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  readonly body: string | Buffer;
}

/**
 * Sends a response, even to a client that is still sending its request. Closing immediately would reset the
 * connection, and the response might be lost. So the rest of the request is discarded for a while before the
 * connection is closed.
 */
export function sendAnswer(
  req: IncomingMessage,
  res: ServerResponse,
  { status, headers, body }: WholeResponse,
): void {
  if (res.destroyed || res.headersSent) return;
  const rest = restOf(req);
  const closes = !res.shouldKeepAlive || res.getHeader('connection') === 'close';
  if (rest > 0 && (closes || rest > smallRest)) {
    // The last bytes may have arrived without having been read yet.
    setImmediate(() => sendAndLinger(req, res, { status, headers, body }));
    return;
  }
  writeHead(res, status, headers);
  if (body.length <= pieceBytes) res.end(body);
  // A client that disconnects in the middle is not an error.
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

function sendAndLinger(
  req: IncomingMessage,
  res: ServerResponse,
  { status, headers, body }: WholeResponse,
): void {
  if (res.destroyed || res.headersSent) return;
  if (req.complete) return void writeHead(res, status, headers).end(body);
  writeHead(res, status, { ...headers, Connection: 'close' });
  // The head has the length, so the client knows that the response is complete before the connection closes.
  if (req.method !== 'HEAD') res.write(body);
  let bytes = 0;
  const end = () => {
    clearTimeout(timer);
    res.end();
  };
  const timer = setTimeout(end, patienceMs).unref();
  // Detach the previous reader.
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
