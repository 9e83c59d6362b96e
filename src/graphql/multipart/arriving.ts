import type { IncomingMessage } from 'node:http';
import { httpError } from '../http/problem.ts';

/** The bytes of a request as they arrive, until it ends or nobody wants them any more. */
export interface Arriving {
  /** The next piece; undefined at the end. The sender is held back while nobody asks. @throws what stopped it */
  next(): Promise<Buffer | undefined>;
  /** Lets go of the request: whoever waits is told why, and its bytes flow by unread from now on. */
  stop(why: Error): void;
}

/** Reads at most `maxBytes` of a request's body. Not by its async iterator, which cannot be stopped while the sender is silent. */
export function arriving(req: IncomingMessage, maxBytes: number): Arriving {
  let bytes = 0;
  let waiting: { resolve(chunk: Buffer | undefined): void; reject(error: Error): void } | undefined;
  let over: { readonly error?: Error } | undefined;
  let held: Buffer | undefined;
  const settle = (how: { readonly error?: Error }) => {
    over ??= how;
    if (over.error) waiting?.reject(over.error);
    else waiting?.resolve(undefined);
    waiting = undefined;
  };
  const onData = (chunk: Buffer) => {
    req.pause();
    bytes += chunk.length;
    if (bytes > maxBytes) return settle({ error: httpError(413, `The request exceeds ${maxBytes} bytes`) });
    if (waiting === undefined) held = held === undefined ? chunk : Buffer.concat([held, chunk]);
    else waiting.resolve(chunk);
    waiting = undefined;
  };
  const onEnd = () => settle({});
  const onGone = () => settle({ error: httpError(400, 'The request was cut') });
  req.on('data', onData).on('end', onEnd).on('error', onGone).on('close', onGone);
  req.pause();
  return {
    next() {
      if (held !== undefined && over?.error === undefined) {
        const chunk = held;
        held = undefined;
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
      held = undefined;
      settle({ error: why });
      req.resume();
    },
  };
}
