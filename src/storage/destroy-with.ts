import { addAbortListener } from 'node:events';
import type { Readable } from 'node:stream';

/**
 * Destroys a stream, without an error, when the signal is aborted. The signal does not keep the stream once
 * that has closed.
 * @param signal undefined: nothing happens
 * @returns the stream
 */
export function destroyWith(stream: Readable, signal: AbortSignal | undefined): Readable {
  if (signal === undefined) return stream;
  const listener = addAbortListener(signal, () => stream.destroy());
  return stream.once('close', () => listener[Symbol.dispose]());
}
