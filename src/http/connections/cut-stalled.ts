import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { sendText } from '../respond.ts';

/** When a connection counts as stalled. */
export interface StallLimits {
  /** Interval between checks, in milliseconds. */
  readonly checkEveryMs: number;
  /** Number of consecutive checks without progress before a connection is cut. */
  readonly checks: number;
  /** Bytes between two checks that count as progress. */
  readonly leastBytes: number;
}
/** Less than 1 KiB/s for half a minute. */
const usual: StallLimits = { checkEveryMs: 5000, checks: 6, leastBytes: 5 * 1024 };

interface WatchedConnection {
  req: IncomingMessage | undefined;
  res: ServerResponse | undefined;
  moved: number;
  still: number;
}

/**
 * Cuts connections that hold memory without progress: a body that trickles in, or an answer, download or
 * event stream that is not read. A sender whose response has not begun gets 408 first. A connection that
 * waits for us is never cut: a response in the making, a body that we have paused, a stream without events.
 * @param limits by default, less than 5 KiB in each of six checks, which are five seconds apart
 */
export function cutStalled(server: Server, limits: StallLimits = usual): void {
  const { checkEveryMs, checks, leastBytes } = limits;
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
