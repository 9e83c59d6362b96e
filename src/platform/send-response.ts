import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
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

/** Bytes after which other requests have their turn, although the reader takes more. */
const turnBytes = 1024 * 1024;

export interface Answer {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  /** As a whole, or in pieces that are made when they are written. */
  readonly body: string | Buffer | Iterable<string>;
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
  const closes = !res.shouldKeepAlive || res.getHeader('connection') === 'close';
  if (rest > 0 && (closes || rest > smallRest)) {
    // The last bytes may be here already, and only not have been looked at.
    setImmediate(() => sendAndLinger(req, res, { status, headers, body }));
    return;
  }
  writeHead(res, status, headers);
  if (isShort(body)) res.end(body);
  else void writePieces(res, body).then(() => res.end());
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
  if (req.complete) {
    writeHead(res, status, headers);
    return void writePieces(res, body).then(() => res.end());
  }
  writeHead(res, status, { ...headers, Connection: 'close' });
  // Its length is in the head, so that its reader knows that it is complete before the connection is closed.
  const written = req.method === 'HEAD' ? Promise.resolve() : writePieces(res, body);
  let bytes = 0;
  const end = () => {
    clearTimeout(timer);
    void written.then(() => res.end());
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

const isShort = (body: Answer['body']): body is string | Buffer =>
  (typeof body === 'string' || Buffer.isBuffer(body)) && body.length <= pieceBytes;

/** Resolves when its reader has taken all but the last piece, or has gone away. */
export async function writePieces(res: ServerResponse, body: Answer['body']): Promise<void> {
  let inTurn = 0;
  for (const piece of piecesOf(body)) {
    if (res.destroyed) return;
    inTurn += piece.length;
    if (!res.write(piece)) await drained(res);
    else if (inTurn > turnBytes) await new Promise((resolve) => setImmediate(resolve));
    else continue;
    inTurn = 0;
  }
}

/** Resolves when the response takes more, or its connection is closed. */
export function drained(res: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    if (res.destroyed) return resolve();
    const done = () => {
      res.off('drain', done).off('close', done);
      resolve();
    };
    res.on('drain', done).on('close', done);
  });
}

function piecesOf(body: Answer['body']): Iterable<string | Buffer> {
  if (typeof body !== 'string' && !Buffer.isBuffer(body)) return body;
  return slicesOf(typeof body === 'string' ? Buffer.from(body) : body);
}

function* slicesOf(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}
