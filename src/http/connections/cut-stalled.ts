import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { sendText } from '../respond.ts';
import { connectionsOf } from './open-connections.ts';

/** When a connection counts as stalled. */
export interface StallLimits {
  /** Interval between checks, in milliseconds. */
  readonly checkEveryMs: number;
  /** Number of consecutive checks without progress before a connection is cut. */
  readonly checks: number;
  /** Fewest bytes, of both directions together, that count as progress between two checks. */
  readonly leastBytes: number;
}
/** Less than 1 KiB/s for half a minute. */
const usual: StallLimits = { checkEveryMs: 5000, checks: 6, leastBytes: 5 * 1024 };

/** What a connection had done at the last check. */
interface ConnectionProgress {
  readonly res: ServerResponse | undefined;
  readonly moved: number;
  /** Number of consecutive checks without progress. */
  readonly still: number;
}

/**
 * From now until the server closes, cuts connections that hold memory without progress: a body that trickles
 * in, or an answer, download or event stream that is not read. A sender whose response has not begun gets 408
 * first. A connection that waits for us is never cut: a response that is still being prepared, a body that we
 * have paused, a stream without events. To be called before the server's first connection.
 * @param limits by default, less than 5 KiB in each of six checks, which are five seconds apart
 */
export function cutStalled(server: Server, limits: StallLimits = usual): void {
  const { checkEveryMs, checks, leastBytes } = limits;
  const connections = connectionsOf(server);
  let last = new Map<Socket, ConnectionProgress>();
  const timer = setInterval(() => {
    const now = new Map<Socket, ConnectionProgress>();
    for (const [socket, res] of connections) {
      const before = last.get(socket);
      const moved = socket.bytesRead + socket.bytesWritten - socket.writableLength;
      const isStill = moved - (before?.moved ?? 0) < leastBytes && waitsForCaller(socket, res);
      const still = isStill ? 1 + (before?.res === res ? before!.still : 0) : 0;
      now.set(socket, { res, moved, still });
      if (still >= checks) cut(socket, res);
    }
    last = now;
  }, checkEveryMs).unref();
  server.once('close', () => clearInterval(timer));
}

const waitsForCaller = (socket: Socket, res: ServerResponse | undefined): boolean =>
  socket.writableLength > 0 || (res !== undefined && isArriving(res.req));

/** A body that we are ready to read. */
function isArriving(req: IncomingMessage): boolean {
  return !req.complete && !req.destroyed && req.readableFlowing === true && req.readableLength === 0;
}

function cut(socket: Socket, res: ServerResponse | undefined): void {
  if (socket.writableLength > 0 || res === undefined || res.headersSent) return void socket.destroy();
  // A slow sender may still read its answer. Stop reading what it sends.
  res.req.removeAllListeners('data').removeAllListeners('end');
  sendText(res, 408, 'The request took too long to arrive\n', { Connection: 'close' });
}
