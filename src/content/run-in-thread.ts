import { createThreadPool, type ResultOf, type ThreadCall, type WorkerThreads } from './thread-pool.ts';

/**
 * Texts of this many characters or more are processed in a worker thread: they take 10 ms or more. Callers
 * compare; `inThread` does not.
 */
export const threadThreshold = 65_536;

let threads: WorkerThreads | undefined;

/**
 * Runs a task in this process's pool of worker threads for large texts, which the first call creates.
 * @throws UnreadableBody when the task does, or needs more memory than a thread has; Unavailable when 1000
 *   tasks wait; Error when the task has crashed two threads
 */
export function inThread<C extends ThreadCall>(call: C): Promise<ResultOf<C>> {
  threads ??= createThreadPool();
  return threads.run(call);
}
