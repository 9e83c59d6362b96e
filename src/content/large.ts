import { createReadingThreads, type ReadingThreads, type ResultOf, type ThreadCall } from './thread-pool.ts';

/** Texts of this many characters, about 10 ms of work, are processed in a worker thread. */
export const large = 65_536;

let threads: ReadingThreads | undefined;

/** Runs a task in the thread pool for large texts. @throws UnreadableBody, Unavailable */
export function inThread<C extends ThreadCall>(call: C): Promise<ResultOf<C>> {
  threads ??= createReadingThreads();
  return threads.run(call);
}
