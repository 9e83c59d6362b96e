import { Worker } from 'node:worker_threads';
import type { ReadRequest } from '../../src/content/tasks.ts';
import type { MessageFormat } from '../../src/platform/vocabulary.ts';

export interface Measured {
  /** CPU of the thread. */
  readonly milliseconds: number;
  readonly heapBytes: number;
  /** `read`, or why not. */
  readonly outcome: string;
}

/** Reads a body in a fresh thread, and tells what it took. */
export function measureInThread(body: string, format: MessageFormat): Promise<Measured> {
  const worker = new Worker(new URL('./measuring-thread.ts', import.meta.url), {
    workerData: { body, format, remotePictures: 'HELD' } satisfies ReadRequest,
    resourceLimits: { maxOldGenerationSizeMb: 2048 },
  });
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}
