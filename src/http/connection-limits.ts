import { readFileSync } from 'node:fs';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Logger } from '../platform/log.ts';
import { sendText } from './respond.ts';

/** When a connection counts as stalled. */
export interface StallLimits {
  /** Interval between checks, in milliseconds. */
  readonly checkEveryMs: number;
  /** Number of consecutive checks without progress before a connection is cut. */
  readonly checks: number;
  /** Bytes between two checks that count as progress. */
  readonly leastBytes: number;
}
/** Cuts requests and answers that move less than 1 KiB/s for half a minute. */
const usual: StallLimits = { checkEveryMs: 5000, checks: 6, leastBytes: 5 * 1024 };

interface WatchedConnection {
  req: IncomingMessage | undefined;
  res: ServerResponse | undefined;
  moved: number;
  still: number;
}

/** At most so often is a line written about connections that were refused. */
const logEveryMs = 10_000;

/** Descriptors that are enough for everything but connections, however many of those there are. */
const enoughForOthers = 8192;

/**
 * Limits a server's connections, so that half of the process's descriptors, or 8192 if that is less, are left
 * to files, the database and mail servers. Otherwise connections could take the last descriptor, and requests
 * that were accepted would fail. A connection over the limit is closed at once, so that a proxy tries the
 * next process. There is no limit where the number of descriptors is not known: elsewhere than on Linux.
 */
export function boundConnections(server: Server, log: Logger): void {
  const limit = openFilesLimit();
  const most = Math.max(Math.floor(limit / 2), limit - enoughForOthers);
  if (!Number.isFinite(most)) return;
  server.maxConnections = most;
  let refused = 0;
  let loggedAt = Number.NEGATIVE_INFINITY;
  server.on('drop', () => {
    refused += 1;
    const now = performance.now();
    if (now - loggedAt < logEveryMs) return;
    log.warn({ connections: most, refused }, 'connections refused: too many are open (raise ulimit -n)');
    refused = 0;
    loggedAt = now;
  });
}

/** `ulimit -n`, which Linux alone tells a program without a report. */
function openFilesLimit(): number {
  if (process.platform !== 'linux') return Number.POSITIVE_INFINITY;
  const limit = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
  return limit === undefined ? Number.POSITIVE_INFINITY : Number(limit);
}

/**
 * Cuts connections that hold memory without progress: a body that trickles in, or an answer, download or
 * event stream that is not read. A sender whose response has not begun gets 408 first. A connection that
 * waits for us is never cut: a response in the making, a body that we have paused, a stream without events.
 */
export function cutStalled(server: Server, { checkEveryMs, checks, leastBytes }: StallLimits = usual): void {
  const connections = new Map<Socket, WatchedConnection>();
  server.on('connection', (socket) => {
    connections.set(socket, { req: undefined, res: undefined, moved: 0, still: 0 });
    socket.once('close', () => connections.delete(socket));
  });
  server.prependListener('request', (req, res) => {
    const watched = connections.get(req.socket);
    if (watched !== undefined) Object.assign(watched, { req, res, still: 0 });
  });
  const timer = setInterval(() => {
    for (const [socket, watched] of connections) {
      const moved = socket.bytesRead + socket.bytesWritten - socket.writableLength;
      const isStill = moved - watched.moved < leastBytes && waitsForCaller(socket, watched);
      watched.moved = moved;
      watched.still = isStill ? watched.still + 1 : 0;
      if (watched.still >= checks) cut(socket, watched);
    }
  }, checkEveryMs).unref();
  server.once('close', () => clearInterval(timer));
}

const waitsForCaller = (socket: Socket, { req }: WatchedConnection): boolean =>
  socket.writableLength > 0 || (req !== undefined && isArriving(req));

/** A body that we are ready to read. */
function isArriving(req: IncomingMessage): boolean {
  return !req.complete && !req.destroyed && req.readableFlowing === true && req.readableLength === 0;
}

function cut(socket: Socket, { req, res }: WatchedConnection): void {
  if (socket.writableLength > 0 || res === undefined || res.headersSent) return void socket.destroy();
  // A slow sender may still read its answer. Stop reading what it sends.
  req?.removeAllListeners('data').removeAllListeners('end');
  sendText(res, 408, 'The request took too long to arrive\n', { Connection: 'close' });
}
