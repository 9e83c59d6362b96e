import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';

/** Bytes that may wait to be written before the sender is held back. */
const waitingBytes = 256 * 1024;

/**
 * A request's body as a stream of its own: destroying it does not cut the connection, so that a refusal still reaches the sender. It
 * fails when the request ends before its body does.
 */
export function bodyOf(req: IncomingMessage): Readable {
  let reading = false;
  const body = new Readable({
    highWaterMark: waitingBytes,
    read() {
      // Not before: whoever waits for `100 Continue` is told to go on by the first reader.
      if (!reading) req.on('data', onData);
      reading = true;
      req.resume();
    },
    destroy(error, done) {
      req.off('data', onData).off('end', onEnd).off('close', onClose);
      done(error);
    },
  });
  function onData(chunk: Buffer): void {
    if (!body.push(chunk)) req.pause();
  }
  function onEnd(): void {
    body.push(null);
  }
  function onClose(): void {
    if (!req.complete) body.destroy(new Error('the request ended before its body did'));
  }
  // It may fail before anybody reads it; unheard, that would end the process.
  body.on('error', () => {});
  req.on('end', onEnd).on('close', onClose);
  if (req.destroyed) onClose();
  return body;
}
