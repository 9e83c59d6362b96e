type MaybePromise<T> = T | Promise<T>;

const asNext = <B>(value: B): IteratorYieldResult<B> => ({ done: false, value });

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
    return this.#values.next().then(this.#mapped, this.#failed);
  }

  async return(): Promise<IteratorResult<B, undefined>> {
    this.#isOver = true;
    await this.#values.return?.();
    return { done: true, value: undefined };
  }

  /** Creates no promise when the mapped value is not one, because thousands of streams wait at a time. */
  readonly #mapped = ({ done, value }: IteratorResult<A>): MaybePromise<IteratorResult<B, undefined>> => {
    if (done === true) return { done, value: undefined };
    try {
      const mapped = this.#map(value);
      if (mapped instanceof Promise) return mapped.then(asNext, this.#failed);
      return asNext(mapped);
    } catch (error) {
      return this.#failed(error);
    }
  };

  readonly #failed = (error: unknown): IteratorResult<B, undefined> => {
    if (this.#atFault === undefined) throw error;
    this.#isOver = true;
    return asNext(this.#atFault(error));
  };
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
