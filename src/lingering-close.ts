import type { IncomingMessage, ServerResponse } from 'node:http';

/** How long an answered sender may go on sending, milliseconds, and how much of it is read and thrown away. */
const patienceMs = 2000;
const patienceBytes = 64 * 1024 * 1024;

/**
 * For requests that may be answered before they were read to their end. Closing at once would reset the connection, and the
 * answer might be lost on its way: so the rest is thrown away for a while, and only then is the connection closed.
 */
export function lingeringClose(req: IncomingMessage, res: ServerResponse): void {
  // A caller who wants the connection closed gets that from us: node would do it right behind the answer, with bytes still unread.
  const closes = !res.shouldKeepAlive;
  res.shouldKeepAlive = true;
  res.once('finish', () => {
    if (req.destroyed) return;
    if (closes) req.once('end', () => req.socket.end());
    if (req.complete) {
      if (closes) req.socket.end();
      return;
    }
    let bytes = 0;
    req.unpipe();
    req.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > patienceBytes) req.destroy();
    });
    req.resume();
    setTimeout(() => req.destroy(), patienceMs).unref();
  });
}
