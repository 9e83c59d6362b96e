import { parentPort } from 'node:worker_threads';
import type { ThreadCall } from '../../src/content/thread-pool.ts';
import { tasks } from '../../src/content/thread-tasks.ts';

/* Works like the real thread, except that a body can ask it to crash or to hang. */

parentPort!.on('message', (call: ThreadCall) => {
  if (call.task !== 'read') return;
  if (call.request.body === 'crash') throw new Error('a mistake in the reader');
  if (call.request.body === 'hang') for (;;);
  parentPort!.postMessage({ result: tasks.read(call.request) });
});
