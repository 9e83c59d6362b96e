import { Readable } from 'node:stream';
import { StoreUnavailable } from '../blob-store.ts';
import type { S3Objects } from './object-requests.ts';

/** How often an interrupted read is resumed. */
const resumptions = 3;

/**
 * Opens an object, or a range of its bytes, as a stream. A response that breaks off or stalls is requested
 * again from the first missing byte.
 */
export async function openObject(
  s3: S3Objects,
  name: string,
  range: { start: number; end: number } | undefined,
  bytesWithinMs: number,
): Promise<Readable> {
  // The first response shows whether the object exists.
  let body = await s3.get(name, range);
  const stream = Readable.from(
    (async function* () {
      let position = range?.start ?? 0;
      for (let tries = 0; ; ) {
        try {
          for await (const piece of stepping(body, bytesWithinMs)) {
            position += piece.length;
            tries = 0;
            yield piece;
          }
          return;
        } catch (error) {
          if (++tries > resumptions) throw new StoreUnavailable(error);
        }
        body = await s3.get(name, { start: position, end: range?.end });
      }
    })(),
    { objectMode: false, highWaterMark: 256 * 1024 },
  );
  // A reader that is destroyed before the first byte has not started to read, and the response would hold
  // its connection for ever.
  return stream.on('close', () => body.destroy());
}

/**
 * The timeout applies only while a reader waits for bytes, because a slow reader is not the store's fault.
 */
async function* stepping(body: Readable, withinMs: number): AsyncGenerator<Buffer> {
  const pieces = body[Symbol.asyncIterator]();
  const late = new Error('no more bytes arrived');
  try {
    for (;;) {
      const timer = setTimeout(() => body.destroy(late), withinMs);
      const { done, value } = await pieces.next().finally(() => clearTimeout(timer));
      if (done) return;
      yield value as Buffer;
    }
  } finally {
    body.destroy();
  }
}
