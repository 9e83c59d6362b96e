import { Readable } from 'node:stream';
import { StoreUnavailable } from '../blob-store.ts';
import type { S3Objects } from './objects.ts';

/** How often a read that broke off goes on where it stopped. */
const resumptions = 3;

/**
 * An object's bytes. An answer that breaks off or stalls is asked for anew, from the first byte that is
 * missing.
 */
export async function openObject(
  s3: S3Objects,
  name: string,
  range: { start: number; end: number } | undefined,
  bytesWithinMs: number,
): Promise<Readable> {
  // The first answer tells whether there is such an object.
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
  // Whoever goes away before the first byte has never begun to read: the answer would hold its connection for
  // ever.
  return stream.on('close', () => body.destroy());
}

/** The clock runs only while somebody waits for bytes: a slow reader is no fault of the store's. */
async function* stepping(body: Readable, withinMs: number): AsyncGenerator<Buffer> {
  const pieces = body[Symbol.asyncIterator]();
  const late = new Error('no more bytes came');
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
