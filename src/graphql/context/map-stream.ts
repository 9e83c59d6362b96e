/** A class, because closures for each of thousands of open streams would take more memory. */
class MappedStream<A, B> implements AsyncIterableIterator<B, undefined> {
  readonly #values: AsyncIterator<A>;
  readonly #map: (value: A) => B | Promise<B>;
  readonly #atFault: ((error: unknown) => B) | undefined;
  #isOver = false;

  constructor(
    values: AsyncIterator<A>,
    map: (value: A) => B | Promise<B>,
    atFault: ((error: unknown) => B) | undefined,
  ) {
    this.#values = values;
    this.#map = map;
    this.#atFault = atFault;
  }

  [Symbol.asyncIterator]() {
    return this;
  }

  next(): Promise<IteratorResult<B, undefined>> {
    if (this.#isOver) return Promise.resolve({ done: true, value: undefined });
    return this.#values
      .next()
      .then((result) => this.#mapped(result))
      .catch((error) => this.#failed(error));
  }

  async return(): Promise<IteratorResult<B, undefined>> {
    this.#isOver = true;
    await this.#values.return?.();
    return { done: true, value: undefined };
  }

  async #mapped({ done, value }: IteratorResult<A>): Promise<IteratorResult<B, undefined>> {
    return done === true ? { done, value: undefined } : { done: false, value: await this.#map(value) };
  }

  #failed(error: unknown): IteratorResult<B, undefined> {
    if (this.#atFault === undefined) throw error;
    this.#isOver = true;
    return { done: false, value: this.#atFault(error) };
  }
}

/**
 * Maps each value of a stream. Unlike an async generator it holds no suspended function while it waits, and
 * it can be returned meanwhile.
 * @param atFault makes a last value of the source's error
 */
export const mapStream = <A, B>(
  source: AsyncIterable<A>,
  map: (value: A) => B | Promise<B>,
  atFault?: (error: unknown) => B,
): AsyncIterableIterator<B, undefined> => new MappedStream(source[Symbol.asyncIterator](), map, atFault);
