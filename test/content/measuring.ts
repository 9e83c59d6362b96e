import { Worker } from 'node:worker_threads';
import type { ReadRequest } from '../../src/content/thread-tasks.ts';
import type { MessageFormat } from '../../src/platform/vocabulary.ts';

export interface Measured {
  /** CPU of the thread. */
  readonly milliseconds: number;
  /** Milliseconds in which the thread stood still for garbage collection, by the clock. */
  readonly collecting: number;
  readonly heapBytes: number;
  /** `read` or `refused` */
  readonly outcome: string;
}

export interface Counted {
  /** Blocks of JavaScript that were executed: unlike time, the same in every run. */
  readonly steps: number;
  readonly outcome: string;
}

export interface Measurement extends ReadRequest {
  readonly count: boolean;
}

/** Reads a body in a fresh thread and measures time and memory. */
export const measureInThread = (body: string, format: MessageFormat): Promise<Measured> =>
  inFreshThread({ body, format, remotePictures: 'HELD', count: false });

/** Reads a body in a fresh thread and counts the steps, which V8's coverage makes slower. */
export const countSteps = (body: string, format: MessageFormat): Promise<Counted> =>
  inFreshThread({ body, format, remotePictures: 'HELD', count: true });

function inFreshThread<T>(workerData: Measurement): Promise<T> {
  const worker = new Worker(new URL('./measuring-thread.ts', import.meta.url), {
    workerData,
    resourceLimits: { maxOldGenerationSizeMb: 2048 },
  });
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}
