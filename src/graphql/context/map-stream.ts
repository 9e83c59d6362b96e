import { nextOf, type PulledStream, pullFrom, type Receiver } from '../../tickets/events/pulled-stream.ts';

/** A class, because closures for each of thousands of open streams would take more memory. */
class MappedStream<A, B> implements PulledStream<B>, Receiver<A> {
  readonly #values: AsyncIterator<A>;
  readonly #map: (value: A) => B;
  readonly #atFault: ((error: unknown) => B) | undefined;
  #receiver: Receiver<B> | undefined;
  #isOver = false;

  constructor(values: AsyncIterator<A>, map: (value: A) => B, atFault: ((error: unknown) => B) | undefined) {
    this.#values = values;
    this.#map = map;
    this.#atFault = atFault;
  }

  [Symbol.asyncIterator]() {
    return this;
  }

  pull(receiver: Receiver<B>): void {
    if (this.#isOver) return receiver.end();
    this.#receiver = receiver;
    pullFrom(this.#values, this);
  }

  next(): Promise<IteratorResult<B, undefined>> {
    return nextOf(this);
  }

  async return(): Promise<IteratorResult<B, undefined>> {
    this.#isOver = true;
    await this.#values.return?.();
    return { done: true, value: undefined };
  }

  take(value: A): void {
    let mapped: B;
    try {
      mapped = this.#map(value);
    } catch (error) {
      return this.fail(error);
    }
    this.#receiver!.take(mapped);
  }

  end(): void {
    this.#receiver!.end();
  }

  fail(error: unknown): void {
    if (this.#atFault === undefined) return this.#receiver!.fail(error);
    this.#isOver = true;
    this.#receiver!.take(this.#atFault(error));
  }
}

/**
 * Maps each value of a stream when it is asked for. Unlike an async generator it keeps no suspended function
 * in memory while it waits, and `return`, which also calls the source's, takes effect while a `next` is
 * pending.
 * @param atFault turns an error of the source or of `map` into the last value, after which the stream ends.
 *   Without it the stream fails with that error
 */
export const mapStream = <A, B>(
  source: AsyncIterable<A>,
  map: (value: A) => B,
  atFault?: (error: unknown) => B,
): PulledStream<B> => new MappedStream(source[Symbol.asyncIterator](), map, atFault);
