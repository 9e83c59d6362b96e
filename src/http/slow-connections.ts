import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { answerText } from './respond.ts';

export interface Patience {
  /** How often connections are looked at, milliseconds. */
  readonly lookEveryMs: number;
  /** Looks in a row at which a connection has hardly moved, before it is cut. */
  readonly looks: number;
  /** Bytes between two looks that count as moving. */
  readonly leastBytes: number;
}
/** A request or an answer that moves less than 1 KiB a second for half a minute. */
const usual: Patience = { lookEveryMs: 5000, looks: 6, leastBytes: 5 * 1024 };

interface WatchedConnection {
  req: IncomingMessage | undefined;
  res: ServerResponse | undefined;
  moved: number;
  still: number;
}

/**
 * Cuts connections that hold memory and do not move: a body that trickles in, an answer, a download or a
 * stream of events that nobody reads. What waits for us is never cut: an answer that is being made, a body
 * that we have not asked for more of, a stream without news.
 */
export function cutStalled(server: Server, { lookEveryMs, looks, leastBytes }: Patience = usual): void {
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
      if (watched.still >= looks) cut(socket, watched);
    }
  }, lookEveryMs).unref();
  server.once('close', () => clearInterval(timer));
}

const waitsForCaller = (socket: Socket, { req }: WatchedConnection): boolean =>
  socket.writableLength > 0 || (req !== undefined && isArriving(req));

/** A body of which we would take more. */
function isArriving(req: IncomingMessage): boolean {
  return !req.complete && !req.destroyed && req.readableFlowing === true && req.readableLength === 0;
}

function cut(socket: Socket, { req, res }: WatchedConnection): void {
  if (socket.writableLength > 0 || res === undefined || res.headersSent) return void socket.destroy();
  // Whoever sends so slowly may still be listening; what comes after the refusal is read by nobody.
  req?.removeAllListeners('data').removeAllListeners('end');
  answerText(res, 408, 'The request took too long to arrive\n', { Connection: 'close' });
}
