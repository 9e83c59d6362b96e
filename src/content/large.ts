import { type Call, createReadingThreads, type ReadingThreads, type ResultOf } from './thread-pool.ts';

/** Characters from which on a text is worked on by a thread of its own: about ten milliseconds of work. */
export const large = 65_536;

let threads: ReadingThreads | undefined;

/** Has something done by one of the process's threads for large texts. @throws UnreadableBody, Unavailable */
export function inThread<C extends Call>(call: C): Promise<ResultOf<C>> {
  threads ??= createReadingThreads();
  return threads.run(call);
}
