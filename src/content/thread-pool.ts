import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { Unavailable } from '../platform/errors.ts';
import { UnreadableBody } from './dom/tree.ts';
import type { Tasks } from './tasks.ts';

type CallOf<Name extends keyof Tasks> = {
  readonly task: Name;
  readonly request: Parameters<Tasks[Name]>[0];
};
export type Call = { [Name in keyof Tasks]: CallOf<Name> }[keyof Tasks];
export type ResultOf<C extends Call> = ReturnType<Tasks[C['task']]>;

export interface ReadingThreads extends AsyncDisposable {
  /** @throws UnreadableBody; Unavailable when too many wait */
  run<C extends Call>(call: C): Promise<ResultOf<C>>;
}

interface Job {
  readonly call: Call;
  readonly resolve: (result: ResultOf<Call>) => void;
  readonly reject: (error: Error) => void;
  /** Threads that ended while they read it. */
  crashes: number;
}

interface Thread {
  readonly worker: Worker;
  job: Job | undefined;
}

type Answer = { readonly result: ResultOf<Call> } | { readonly problem: string };

/** Bodies that wait at most. */
const maxWaiting = 1000;
/** A body of 4 MiB that is nothing but tags becomes a tree of about 500 MB. */
const maxHeapMegabytes = 1024;
const mostThreads = Math.max(1, Math.min(4, availableParallelism() - 1));

/**
 * Threads that read bodies, one body each at a time; started when there is work, and no reason for the
 * process to go on. A thread that ends is replaced, and what it was reading is tried once more.
 */
export function createReadingThreads({
  threads: most = mostThreads,
  script = new URL('./thread.ts', import.meta.url),
}: {
  readonly threads?: number;
  readonly script?: URL;
} = {}): ReadingThreads {
  const waiting: Job[] = [];
  const threads = new Set<Thread>();

  function start(): Thread {
    const worker = new Worker(script, { resourceLimits: { maxOldGenerationSizeMb: maxHeapMegabytes } });
    const thread: Thread = { worker, job: undefined };
    threads.add(thread);
    worker.unref();
    worker.on('message', (answer: Answer) => {
      const { job } = thread;
      thread.job = undefined;
      worker.unref();
      if (job !== undefined && 'result' in answer) job.resolve(answer.result);
      else if (job !== undefined && 'problem' in answer) job.reject(new UnreadableBody(answer.problem));
      next();
    });
    // An error ends the thread: what it was reading is dealt with then.
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
    else job.reject(new UnreadableBody('The message takes more memory than there is to be read'));
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
    async run<C extends Call>(call: C): Promise<ResultOf<C>> {
      if (waiting.length >= maxWaiting) throw new Unavailable('Too many large messages are being read');
      const { promise, resolve, reject } = Promise.withResolvers<ResultOf<Call>>();
      waiting.push({ call, resolve, reject, crashes: 0 });
      next();
      // A thread answers each call with the result of its own task.
      return promise as Promise<ResultOf<C>>;
    },
    async [Symbol.asyncDispose]() {
      waiting.length = 0;
      await Promise.all([...threads].map(({ worker }) => worker.terminate()));
    },
  };
}
