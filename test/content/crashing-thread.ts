import { parentPort } from 'node:worker_threads';
import type { ThreadCall } from '../../src/content/thread-pool.ts';
import { tasks } from '../../src/content/thread-tasks.ts';

/* Works like the real thread, except that a body can ask it to crash. */

parentPort!.on('message', (call: ThreadCall) => {
  if (call.task !== 'read') return;
  if (call.request.body === 'crash') throw new Error('out of memory');
  parentPort!.postMessage({ result: tasks.read(call.request) });
});
