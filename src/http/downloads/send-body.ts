import type { ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Logger } from '../../platform/log.ts';

/** A signal that is aborted when the response closes: its client has left, or has all of it. */
export function signalOfLeaving(res: ServerResponse): AbortSignal {
  const leaving = new AbortController();
  res.once('close', () => leaving.abort());
  if (res.closed) leaving.abort();
  return leaving.signal;
}

/**
 * Sends the body of a response and ends it. The head must have been written, with `byteSize` as its
 * Content-Length. When the source breaks off, or has fewer or more bytes, the connection is closed: otherwise
 * the client would wait for the rest, or take the surplus for the beginning of the next response. Such a
 * fault is logged as an error; a client that disconnects is not logged. In every case, the source is closed
 * and the promise resolves; it never rejects.
 */
export async function sendBody(
  source: Readable,
  res: ServerResponse,
  byteSize: number,
  log: Logger,
): Promise<void> {
  let isFault = false;
  async function* exactly(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    let left = byteSize;
    try {
      for await (const piece of pieces) {
        left -= piece.length;
        if (left < 0) break;
        yield piece;
      }
      if (left !== 0) throw new Error(`the file has ${left < 0 ? 'more' : 'fewer'} than ${byteSize} bytes`);
    } catch (error) {
      // When the client has left, the source was closed for that reason.
      isFault = !res.destroyed;
      throw error;
    }
  }
  await pipeline(source, exactly, res).catch((err) => {
    if (isFault) log.error({ err }, 'a download broke off: its file cannot be read as it was stored');
    res.destroy();
  });
}
