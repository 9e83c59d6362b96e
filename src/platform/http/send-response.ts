import { randomUUID } from 'node:crypto';
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** The rest of a request body of up to this many bytes is drained, and the connection stays open. */
const smallRest = 1024 * 1024;
/** How many milliseconds, and how many bytes, a client may go on sending after its response. */
const patienceMs = 2000;
const patienceBytes = 64 * 1024 * 1024;
/** Bytes of a response per write, so that progress of a long one can be observed. */
const pieceBytes = 256 * 1024;

/** Bytes after which other requests get their turn, although the client takes more. */
const turnBytes = 1024 * 1024;

/** Stored on the response: a WeakMap of all current ones would make each garbage collection slower. */
const requestId = Symbol('request id');
type NamedResponse = ServerResponse & { [requestId]?: string };

/**
 * Chooses the request's id, by which log lines name it, and stores it on the response; `writeHead` sends it
 * as X-Request-Id. It is the caller's X-Request-Id if that has 8 to 64 characters of `A-Z a-z 0-9 _ . : -`,
 * else a new UUID.
 * @returns the id
 */
export function nameRequest(req: IncomingMessage, res: ServerResponse): string {
  const offered = req.headers['x-request-id'];
  const id = typeof offered === 'string' && /^[\w.:-]{8,64}$/.test(offered) ? offered : randomUUID();
  (res as NamedResponse)[requestId] = id;
  return id;
}

/** The id that `nameRequest` stored; `unknown` before that. */
export const requestIdOf = (res: ServerResponse): string => (res as NamedResponse)[requestId] ?? 'unknown';

/**
 * Writes the head of a response, with its X-Request-Id. Every route uses it. Pass all headers here: if any
 * was set on the response before, Node sets all of them one by one, which is slower.
 * @returns the response
 */
export function writeHead(res: ServerResponse, status: number, headers: OutgoingHttpHeaders): ServerResponse {
  const id = (res as NamedResponse)[requestId];
  return res.writeHead(status, id === undefined ? headers : { 'X-Request-Id': id, ...headers });
}

/** A response. */
export interface WholeResponse {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  /** As a whole, or in pieces that are made when they are written. Texts are sent as UTF-8. */
  readonly body: string | Buffer | Iterable<string>;
}

/**
 * Sends a whole response even while the request is still arriving. Adds no Content-Length: the caller puts it
 * among the headers. If the request's body has up to 1 MiB, its rest is discarded and the connection stays
 * open. The rest of a larger body, of one whose length is not known, or on a connection that is to be closed
 * or whose client waits for `100 Continue`, is discarded for up to 2 s or 64 MiB, then the connection is
 * closed; closing it at once would reset it, and the response might be lost. Does nothing once a response has
 * begun or its connection is closed. Returns before the response is sent.
 */
export function sendResponse(
  req: IncomingMessage,
  res: ServerResponse,
  { status, headers, body }: WholeResponse,
): void {
  if (res.destroyed || res.headersSent) return;
  const rest = restOf(req);
  // A client that waits for `100 Continue` may leave its body out. What follows could be either.
  const isWaiting = req.headers.expect !== undefined && req.readableFlowing === null;
  const closes = isWaiting || !res.shouldKeepAlive || res.getHeader('connection') === 'close';
  if (rest > 0 && (closes || rest > smallRest)) {
    // The last bytes may have arrived without having been read yet.
    setImmediate(() => sendAndLinger(req, res, { status, headers, body }));
    return;
  }
  writeHead(res, status, headers);
  if (isShort(body)) endWith(res, body, headers['Content-Length']);
  else void writePieces(res, body).then(() => res.end());
  if (rest > 0) req.unpipe().resume();
}

/**
 * As Latin-1, a short body is sent in one packet with the head; Node would send bytes as a second one. A text
 * of as many bytes as characters is ASCII, which Latin-1 writes faster than UTF-8.
 */
function endWith(res: ServerResponse, body: string | Buffer, bytes: unknown): void {
  if (typeof body !== 'string') res.end(body.toString('latin1'), 'latin1');
  else res.end(body, body.length === bytes ? 'latin1' : 'utf8');
}

/** Bytes that may still arrive, at most: the whole body's as long as its end has not arrived. */
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
  if (req.complete) {
    writeHead(res, status, headers);
    return void writePieces(res, body).then(() => res.end());
  }
  writeHead(res, status, { ...headers, Connection: 'close' });
  // The head has the length, so the client knows that the response is complete before the connection closes.
  const written = req.method === 'HEAD' ? Promise.resolve() : writePieces(res, body);
  let bytes = 0;
  const end = () => {
    clearTimeout(timer);
    void written.then(() => res.end());
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

const isShort = (body: WholeResponse['body']): body is string | Buffer =>
  (typeof body === 'string' || Buffer.isBuffer(body)) && body.length <= pieceBytes;

/**
 * Writes a body in pieces, as fast as its reader takes them. The head must be written before; the caller ends
 * the response. Resolves when all pieces are written and the response can take more, or when the client has
 * disconnected.
 */
export async function writePieces(res: ServerResponse, body: WholeResponse['body']): Promise<void> {
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

/**
 * Resolves when a response or its socket can take more, or its connection is closed. Call it only after a
 * `write` that returned false: it waits for the next `drain` event.
 */
export function drained(out: ServerResponse | Socket): Promise<void> {
  return new Promise((resolve) => {
    if (out.destroyed) return resolve();
    const done = () => {
      out.off('drain', done).off('close', done);
      resolve();
    };
    out.on('drain', done).on('close', done);
  });
}

function piecesOf(body: WholeResponse['body']): Iterable<string | Buffer> {
  if (typeof body !== 'string' && !Buffer.isBuffer(body)) return body;
  return slicesOf(typeof body === 'string' ? Buffer.from(body) : body);
}

function* slicesOf(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}
