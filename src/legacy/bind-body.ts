import type { IncomingMessage } from 'node:http';
import { type BodyLimits, bodyLimits, TooLarge } from './dotnet/body-limits.ts';
import { type Charset, type Decoder, jsonDecoder, xmlDecoder } from './dotnet/charset.ts';
import type { Spools } from './dotnet/file-spool.ts';
import { readJson } from './dotnet/json/bind-new-message.ts';
import type { Format } from './dotnet/negotiation.ts';
import type { Reading } from './dotnet/new-message-post.ts';
import { TextSource } from './dotnet/text-source.ts';
import { readXml } from './dotnet/xml/bind-new-message.ts';

/** The caller closed the connection before its request was complete. */
export class Aborted extends Error {}

/**
 * Binds a body to an object while its bytes arrive, as the old service would. Invalid bytes and values do not
 * throw: they are errors of the `Reading`.
 */
export class BodyBinder {
  readonly #source = new TextSource();
  readonly #decoder: Decoder;
  readonly #reading: Generator<void, Reading>;
  /** The result, as soon as the reader needs no more bytes; undefined until then. */
  reading: Reading | undefined;

  constructor(format: Format, charset: Charset, spools: Spools, limits: BodyLimits = bodyLimits) {
    if (format === 'json') {
      this.#decoder = jsonDecoder(charset);
      this.#reading = readJson(this.#source, spools, limits);
    } else {
      this.#decoder = xmlDecoder(charset);
      const encodings = charset === 'utf-16' ? ['utf-16', 'utf-16le'] : ['utf-8'];
      this.#reading = readXml(this.#source, spools, limits, encodings);
    }
  }

  /**
   * Reads the next bytes. They are ignored once there is a result.
   * @throws TooLarge when the body exceeds one of the limits
   */
  push(bytes: Buffer): void {
    if (this.reading) return;
    this.#feed(() => this.#decoder.push(bytes));
    this.#resume();
  }

  /**
   * Marks the end of the body, and returns the result.
   * @throws TooLarge when the body exceeds one of the limits
   */
  end(): Reading {
    if (!this.reading) {
      this.#feed(() => this.#decoder.end());
      this.#source.end();
      this.#resume();
    }
    return this.reading!;
  }

  #feed(decode: () => string): void {
    try {
      this.#source.feed(decode());
    } catch (error) {
      this.#source.fail(error as Error);
    }
  }

  #resume(): void {
    const next = this.#reading.next();
    if (next.done) this.reading = next.value;
  }
}

/**
 * Reads a request's body through `reader`. Resolves with the last byte, or earlier, when the reader has
 * stopped at an error. The request is paused while the store is slower than the sender.
 * @param maxBytes of the whole body
 * @throws TooLarge for a body of more than `maxBytes`, declared or counted, or beyond the reader's limits;
 *   Aborted when the caller closes the connection
 */
export function bindBody(
  request: IncomingMessage,
  reader: BodyBinder,
  spools: Spools,
  maxBytes: number,
): Promise<Reading> {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) return Promise.reject(new TooLarge());
  return new Promise<Reading>((resolve, reject) => {
    let received = 0;
    const settle = (finish: () => void) => {
      request.off('data', onData).off('end', onEnd).off('error', onGone).off('close', onGone);
      finish();
    };
    const guarded = (act: () => void) => {
      try {
        act();
      } catch (error) {
        settle(() => reject(error));
      }
    };
    const onData = (bytes: Buffer) =>
      guarded(() => {
        received += bytes.length;
        if (received > maxBytes) throw new TooLarge();
        reader.push(bytes);
        const { reading } = reader;
        if (reading && reading.errors.length > 0) return settle(() => resolve(reading));
        const { congestion } = spools;
        if (!congestion) return;
        request.pause();
        congestion.then(() => request.resume());
      });
    const onEnd = () => guarded(() => settle(() => resolve(reader.end())));
    const onGone = () => settle(() => reject(new Aborted('the caller went away')));
    request.on('data', onData).on('end', onEnd).on('error', onGone).on('close', onGone);
  });
}
