/**
 * Receives what a stream yields: for each pull, one of these functions is called once, perhaps before the
 * pull returns.
 */
export interface Receiver<T> {
  /** Receives the next value. */
  take(value: T): void;
  /** The stream has ended. */
  end(): void;
  /** The stream has failed, and is over. */
  fail(error: unknown): void;
}

/**
 * A stream that is asked for its next value without a promise. With promises, each of thousands of waiting
 * watchers would hold a chain of them for so long that only a full garbage collection frees it.
 */
export interface PulledStream<T> extends AsyncIterableIterator<T, undefined> {
  /** Asks for the next value. Must not be called before the last pull was answered. */
  pull(receiver: Receiver<T>): void;
}

/** Asks a stream of either kind for its next value: by `pull` if it has that, otherwise by `next`. */
export function pullFrom<T>(stream: AsyncIterator<T> | PulledStream<T>, receiver: Receiver<T>): void {
  if ('pull' in stream) return stream.pull(receiver);
  stream.next().then(
    ({ done, value }) => (done === true ? receiver.end() : receiver.take(value)),
    (error) => receiver.fail(error),
  );
}

/** The next value of a pulled stream as a promise. It rejects when the stream fails. */
export const nextOf = <T>(stream: PulledStream<T>): Promise<IteratorResult<T, undefined>> =>
  new Promise((resolve, reject) =>
    stream.pull({
      take: (value) => resolve({ done: false, value }),
      end: () => resolve({ done: true, value: undefined }),
      fail: reject,
    }),
  );
