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
/** The result of a task. */
export type ResultOf<C extends ThreadCall> = ReturnType<Tasks[C['task']]>;

/** A pool of threads that read large bodies. */
export interface ReadingThreads extends AsyncDisposable {
  /**
   * Runs a task in a thread.
   * @throws UnreadableBody when the task does or its thread crashes twice; Unavailable when 1000 tasks wait
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
}

type ThreadResult = { readonly result: ResultOf<ThreadCall> } | { readonly problem: string };

/** Maximum length of the queue. */
const maxWaiting = 1000;
/**
 * A body of 4 MiB of tags becomes a tree of up to 500 MB. A young generation of 48 MB, the default, adds 60
 * to 100 MiB to what reading a large body takes, and saves no CPU.
 */
const resourceLimits = { maxOldGenerationSizeMb: 1024, maxYoungGenerationSizeMb: 12 };
const mostThreads = Math.max(1, Math.min(4, availableParallelism() - 1));

/**
 * Creates a pool of threads that process one body each. Threads are started on demand and do not keep the
 * process alive. A crashed thread is replaced, and its body is tried once more. Disposing of the pool ends
 * the threads at once; calls that have no result by then never settle.
 */
export function createReadingThreads({
  threads: most = mostThreads,
  script = new URL('./worker-thread.ts', import.meta.url),
}: {
  readonly threads?: number;
  readonly script?: URL;
} = {}): ReadingThreads {
  const waiting: Job[] = [];
  const threads = new Set<Thread>();

  function start(): Thread {
    const worker = new Worker(script, { resourceLimits });
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
    // Handled by `exit`, which follows.
    worker.on('error', () => {});
    worker.on('exit', () => {
      threads.delete(thread);
      if (thread.job !== undefined) tryAgain(thread.job);
      next();
    });
    return thread;
  }

  function tryAgain(job: Job): void {
    job.crashes += 1;
    if (job.crashes < 2) waiting.unshift(job);
    else job.reject(new UnreadableBody('Reading the HTML takes too much memory'));
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
      if (waiting.length >= maxWaiting) throw new Unavailable('Too many large messages are being read');
      const { promise, resolve, reject } = Promise.withResolvers<ResultOf<ThreadCall>>();
      waiting.push({ call, resolve, reject, crashes: 0 });
      next();
      // The result of a call has the type of its task.
      return promise as Promise<ResultOf<C>>;
    },
    async [Symbol.asyncDispose]() {
      waiting.length = 0;
      await Promise.all([...threads].map(({ worker }) => worker.terminate()));
    },
  };
}
