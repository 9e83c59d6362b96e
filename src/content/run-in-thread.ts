import { createThreadPool, type ResultOf, type ThreadCall, type WorkerThreads } from './thread-pool.ts';

/** Characters from which a text is processed in a worker thread: about 10 ms of work. */
export const large = 65_536;

let threads: WorkerThreads | undefined;

/**
 * Runs a task in the thread pool for large texts.
 * @throws UnreadableBody when the task does, Unavailable when the pool's queue is full
 */
export function inThread<C extends ThreadCall>(call: C): Promise<ResultOf<C>> {
  threads ??= createThreadPool();
  return threads.run(call);
}
