import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { Unavailable } from '../platform/errors.ts';
import { UnreadableBody } from './dom/tree.ts';
import type { Tasks } from './thread-tasks.ts';

type CallOf<Name extends keyof Tasks> = {
  readonly task: Name;
  readonly request: Parameters<Tasks[Name]>[0];
};
/** A task and its argument. */
export type ThreadCall = { [Name in keyof Tasks]: CallOf<Name> }[keyof Tasks];
/** The type of a task's result. */
export type ResultOf<C extends ThreadCall> = ReturnType<Tasks[C['task']]>;

/** A pool of worker threads for large texts. */
export interface WorkerThreads extends AsyncDisposable {
  /**
   * Runs a task in a thread, in the order of the calls. The request and the result are copied between the
   * threads. There is no time limit.
   * @throws UnreadableBody when the task does, or needs more memory than a thread has; Unavailable when 1000
   *   tasks wait for a thread or the pool is disposed of; Error when the task has crashed two threads: any
   *   other error of a task counts as a crash
   */
  run<C extends ThreadCall>(call: C): Promise<ResultOf<C>>;
}

interface Job {
  readonly call: ThreadCall;
  readonly resolve: (result: ResultOf<ThreadCall>) => void;
  readonly reject: (error: Error) => void;
  /** Threads that crashed on it. */
  crashes: number;
}

interface Thread {
  readonly worker: Worker;
  job: Job | undefined;
  /** Why it ends. */
  error?: NodeJS.ErrnoException;
}

type ThreadResult = { readonly result: ResultOf<ThreadCall> } | { readonly problem: string };

/** Maximum length of the queue. */
const maxWaiting = 1000;
/**
 * A body of 4 MiB of tags becomes a tree of up to 500 MB. A young generation of 48 MB, the default, would
 * add 60 to 100 MiB to that and save no CPU.
 */
const maxYoungGenerationSizeMb = 12;
const mostThreads = Math.max(1, Math.min(4, availableParallelism() - 1));

/**
 * Creates a pool of threads that run one task each: by default one fewer than there are CPUs, from 1 to 4.
 * Threads are started on demand, and stay until the pool is disposed of. An idle one does not keep the
 * process alive. A crashed thread is replaced, and its task is tried once more. Disposing of the pool ends
 * the threads at once; calls without a result then reject with Unavailable.
 */
export function createThreadPool({
  threads: most = mostThreads,
  heapMegabytes = 1024,
  script = new URL('./worker-thread.ts', import.meta.url),
}: {
  /** Maximum number of threads. */
  readonly threads?: number;
  /** Maximum heap of each thread, MiB. */
  readonly heapMegabytes?: number;
  /** The module that each thread runs. */
  readonly script?: URL;
} = {}): WorkerThreads {
  const waiting: Job[] = [];
  const threads = new Set<Thread>();
  let isDisposed = false;

  function start(): Thread {
    const worker = new Worker(script, {
      resourceLimits: { maxOldGenerationSizeMb: heapMegabytes, maxYoungGenerationSizeMb },
    });
    const thread: Thread = { worker, job: undefined };
    threads.add(thread);
    worker.unref();
    worker.on('message', (answer: ThreadResult) => {
      const { job } = thread;
      thread.job = undefined;
      worker.unref();
      if (job !== undefined && 'result' in answer) job.resolve(answer.result);
      else if (job !== undefined && 'problem' in answer) job.reject(new UnreadableBody(answer.problem));
      next();
    });
    // `exit` follows.
    worker.on('error', (error) => (thread.error = error));
    worker.on('exit', () => {
      threads.delete(thread);
      if (thread.job !== undefined) tryAgain(thread.job, thread.error);
      next();
    });
    return thread;
  }

  function tryAgain(job: Job, error: NodeJS.ErrnoException | undefined): void {
    job.crashes += 1;
    if (isDisposed) job.reject(ended());
    else if (job.crashes < 2) waiting.unshift(job);
    else if (error?.code === 'ERR_WORKER_OUT_OF_MEMORY')
      job.reject(new UnreadableBody('Reading the HTML takes too much memory'));
    else job.reject(error ?? new Error(`A thread ended twice during the task ${job.call.task}`));
  }

  function next(): void {
    while (waiting.length > 0) {
      const idle = [...threads].find(({ job }) => job === undefined);
      const thread = idle ?? (threads.size < most ? start() : undefined);
      if (thread === undefined) return;
      thread.job = waiting.shift()!;
      thread.worker.ref();
      thread.worker.postMessage(thread.job.call);
    }
  }

  return {
    async run<C extends ThreadCall>(call: C): Promise<ResultOf<C>> {
      if (isDisposed) throw ended();
      if (waiting.length >= maxWaiting)
        throw new Unavailable('Too many large messages are being processed; try again later');
      const { promise, resolve, reject } = Promise.withResolvers<ResultOf<ThreadCall>>();
      waiting.push({ call, resolve, reject, crashes: 0 });
      next();
      // The result of a call has the type of its task.
      return promise as Promise<ResultOf<C>>;
    },
    async [Symbol.asyncDispose]() {
      isDisposed = true;
      for (const job of waiting.splice(0)) job.reject(ended());
      await Promise.all([...threads].map(({ worker }) => worker.terminate()));
    },
  };
}

const ended = () => new Unavailable('The gateway is stopping');
