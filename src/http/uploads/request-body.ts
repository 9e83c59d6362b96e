import type { IncomingMessage } from 'node:http';
import { takePieces } from '../../platform/http/take-pieces.ts';
import type { IncomingBody } from '../../tickets/uploads/store-in-one-request.ts';

/** Bytes that are buffered before the sender is paused. */
const waitingBytes = 256 * 1024;

/**
 * Makes a request's body readable, once, as its bytes arrive. Reading begins when the first chunk is asked
 * for, which is also when `100 Continue` is sent; at most about 256 KiB are buffered before the sender is
 * paused. Reading throws an Error when the connection closes before the whole body has arrived. After
 * `stop(error)`, it throws that error, unless its last chunk was read before. Neither stopping nor leaving
 * the loop early closes the connection, so that a refusal still reaches the sender: further bytes are
 * discarded. Only small chunks are joined (`takePieces`): a Node stream would concatenate all that wait,
 * which copies most of a large file again.
 */
export function bodyOf(req: IncomingMessage): IncomingBody {
  const waiting: Buffer[] = [];
  let bytes = 0;
  let reading = false;
  let ended = false;
  let over: { readonly error?: Error } | undefined;
  let wake: (() => void) | undefined;

  const settle = (how: { readonly error?: Error }) => {
    over ??= how;
    wake?.();
  };
  const onData = (chunk: Buffer) => {
    waiting.push(chunk);
    bytes += chunk.length;
    if (bytes > waitingBytes) req.pause();
    wake?.();
  };
  const onEnd = () => settle({});
  const onClose = () => settle({ error: new Error('the request ended before its body did') });
  req.once('end', onEnd).once('close', onClose);
  if (req.destroyed && !req.complete) onClose();

  function stop(error: Error): void {
    // What is buffered is lost. Its reader must not take what it has read for the whole body.
    if (waiting.length > 0) over = { error };
    settle({ error });
    req.off('data', onData).off('end', onEnd).off('close', onClose);
    waiting.length = 0;
    if (reading) req.resume();
  }

  async function next(): Promise<IteratorResult<Buffer, undefined>> {
    // Not earlier: this listener triggers `100 Continue`.
    if (!reading) req.on('data', onData);
    reading = true;
    while (waiting.length === 0) {
      if (over?.error !== undefined) throw over.error;
      if (over !== undefined) {
        ended = true;
        return { value: undefined, done: true };
      }
      req.resume();
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
      wake = undefined;
    }
    const value = takePieces(waiting);
    bytes -= value.length;
    if (bytes < waitingBytes / 2 && over === undefined && req.isPaused()) req.resume();
    return { value, done: false };
  }

  return {
    get ended() {
      return ended;
    },
    get broken() {
      return over?.error !== undefined;
    },
    stop,
    [Symbol.asyncIterator]: () => ({
      next,
      async return() {
        stop(new Error('the reader stopped'));
        return { value: undefined, done: true };
      },
    }),
  };
}
