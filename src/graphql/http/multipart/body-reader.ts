import type { IncomingMessage } from 'node:http';
import { takePieces } from '../../../platform/http/take-pieces.ts';
import { httpError } from '../http-error.ts';

/** The bytes of a request as they arrive, until it ends or is stopped. */
export interface Arriving {
  /**
   * The next piece, or undefined at the end. To be called when the last call has settled. While no piece is
   * requested, up to 256 KiB are buffered and then the sender is paused.
   * @throws what `stop` was given, GraphQLError 413 when the body is too large, or 400 when it was cut off;
   *   each later call rejects with the same error
   */
  next(): Promise<Buffer | undefined>;
  /**
   * Stops reading. A pending `next` and later ones reject with `why`, unless the end was reached. Buffered
   * and further bytes are discarded.
   */
  stop(why: Error): void;
}

/**
 * Bytes that are buffered before the sender is paused. Pausing for each piece would cost more than the piece.
 */
const aheadBytes = 256 * 1024;

/**
 * Reads a request's body of at most `maxBytes`, beginning with the first `next`. It does not use the
 * request's async iterator, which cannot be stopped while the sender is silent.
 */
export function arriving(req: IncomingMessage, maxBytes: number): Arriving {
  let bytes = 0;
  let waiting: { resolve(chunk: Buffer | undefined): void; reject(error: Error): void } | undefined;
  let over: { readonly error?: Error } | undefined;
  let held: Buffer[] = [];
  let heldBytes = 0;
  const settle = (how: { readonly error?: Error }) => {
    over ??= how;
    if (over.error) waiting?.reject(over.error);
    else waiting?.resolve(undefined);
    waiting = undefined;
  };
  const onData = (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > maxBytes) {
      req.pause();
      return settle({ error: httpError(413, `The request exceeds ${maxBytes} bytes`) });
    }
    if (waiting !== undefined) {
      waiting.resolve(chunk);
      waiting = undefined;
      return;
    }
    held.push(chunk);
    heldBytes += chunk.length;
    if (heldBytes >= aheadBytes) req.pause();
  };
  const onEnd = () => settle({});
  const onGone = () => settle({ error: httpError(400, 'The request was cut off') });
  req.on('data', onData).on('end', onEnd).on('error', onGone).on('close', onGone);
  req.pause();
  return {
    next() {
      if (held.length > 0 && over?.error === undefined) {
        const chunk = takePieces(held);
        heldBytes -= chunk.length;
        if (heldBytes < aheadBytes / 2 && over === undefined && req.isPaused()) req.resume();
        return Promise.resolve(chunk);
      }
      if (over !== undefined) return over.error ? Promise.reject(over.error) : Promise.resolve(undefined);
      return new Promise((resolve, reject) => {
        waiting = { resolve, reject };
        req.resume();
      });
    },
    stop(why) {
      req.off('data', onData);
      held = [];
      settle({ error: why });
      req.resume();
    },
  };
}
