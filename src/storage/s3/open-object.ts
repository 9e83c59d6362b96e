import { Readable } from 'node:stream';
import { StoreUnavailable } from '../blob-store.ts';
import { destroyWith } from '../destroy-with.ts';
import { S3Missing, type S3Objects } from './object-requests.ts';
import type { Patience } from './patience.ts';

/** How often an interrupted read is resumed. */
const resumptions = 3;
/** Fewer bytes than these, while a reader waits for the whole time, are a stall. */
const leastBytes = 32 * 1024;

/** How an object is read. */
export interface ObjectReading {
  /** First and last byte, as in HTTP; undefined: the whole object. */
  readonly range?: { readonly start: number; readonly end: number } | undefined;
  /**
   * How long the stream waits for the next 32 KiB, milliseconds. Only the time counts in which a reader waits
   * for bytes.
   */
  readonly bytesWithinMs: number;
  /** Ends the request, and destroys the stream. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Opens an object, or a range of its bytes, as a stream. A response that breaks off or stalls is requested
 * again from the first missing byte, up to three times with less than 32 KiB each; after a stall not if the
 * store's patience was shortened. Then the stream fails with StoreUnavailable, and also at once when such a
 * request fails or the object has gone. Once the stream is destroyed, nothing is asked or waited for any
 * more, and the connection of an unfinished response is closed.
 * @throws S3Missing or StoreUnavailable, before the first byte; the reason of the signal
 */
export async function openObject(
  s3: S3Objects,
  name: string,
  { range, bytesWithinMs, signal }: ObjectReading,
): Promise<Readable> {
  // The first response shows whether the object exists.
  let body = await s3.get(name, { range, signal });
  const leaving = new AbortController();

  async function* resuming(): AsyncGenerator<Buffer> {
    let position = range?.start ?? 0;
    for (let tries = 0, got = 0; ; got = 0) {
      try {
        for await (const piece of stepping(body, bytesWithinMs, s3.patience)) {
          position += piece.length;
          got += piece.length;
          if (got >= leastBytes) tries = 0;
          yield piece;
        }
        return;
      } catch (error) {
        if (leaving.signal.aborted) return;
        // A process that stops asks a store that says nothing no second time.
        const isInVain = error instanceof Late && s3.patience.isShortened();
        if (++tries > resumptions || isInVain) throw new StoreUnavailable(error);
      }
      // Without a byte, the same is asked again: a service may answer `bytes=0-` with the whole object.
      const isBegun = position > (range?.start ?? 0);
      const rest = isBegun ? { start: position, end: range?.end } : range;
      body = await s3.get(name, { range: rest, signal: leaving.signal }).catch((error) => {
        throw error instanceof S3Missing ? new StoreUnavailable(error) : error;
      });
    }
  }

  const pieces = resuming();
  // `Readable.from` would wait for the piece that the generator waits for before it closes anything.
  const stream = new Readable({
    highWaterMark: 256 * 1024,
    read() {
      pieces.next().then(
        ({ value, done }) => stream.push(done ? null : value),
        (error) => stream.destroy(error),
      );
    },
    destroy(error, callback) {
      leaving.abort();
      body.destroy();
      callback(error);
    },
  });
  return destroyWith(stream, signal);
}

/** The store has sent nothing, or too little, for too long. */
class Late extends Error {}

/**
 * Only the time counts during which a reader waits for bytes, because a slow reader is not the store's fault.
 */
async function* stepping(body: Readable, withinMs: number, patience: Patience): AsyncGenerator<Buffer> {
  const pieces = body[Symbol.asyncIterator]();
  const late = new Late('no more bytes arrived');
  let waited = 0;
  let got = 0;
  try {
    for (;;) {
      const since = performance.now();
      const stop = patience.wait(withinMs - waited, () => body.destroy(late));
      const { done, value } = await pieces.next().finally(stop);
      if (done) return;
      waited += performance.now() - since;
      got += (value as Buffer).length;
      if (got >= leastBytes) waited = got = 0;
      yield value as Buffer;
    }
  } finally {
    body.destroy();
  }
}
