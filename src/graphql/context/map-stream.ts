/**
 * Maps each value of a stream. Unlike an async generator it holds no suspended function while it waits, and
 * it can be returned meanwhile.
 * @param atFault makes a last value of the source's error
 */
export function mapStream<A, B>(
  source: AsyncIterable<A>,
  map: (value: A) => B | Promise<B>,
  atFault?: (error: unknown) => B,
): AsyncIterableIterator<B, undefined> {
  const values = source[Symbol.asyncIterator]();
  let isOver = false;
  const told = async ({ done, value }: IteratorResult<A>): Promise<IteratorResult<B, undefined>> =>
    done === true ? { done, value: undefined } : { done: false, value: await map(value) };
  const failed = (error: unknown): IteratorResult<B, undefined> => {
    if (atFault === undefined) throw error;
    isOver = true;
    return { done: false, value: atFault(error) };
  };
  return {
    next: () =>
      isOver ? Promise.resolve({ done: true, value: undefined }) : values.next().then(told).catch(failed),
    async return() {
      isOver = true;
      await values.return?.();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
