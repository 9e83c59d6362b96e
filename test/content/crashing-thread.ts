import { parentPort } from 'node:worker_threads';
import { tasks } from '../../src/content/tasks.ts';
import type { ThreadCall } from '../../src/content/thread-pool.ts';

/* Reads as the real one does, but that a body which says so ends it. */

parentPort!.on('message', (call: ThreadCall) => {
  if (call.task !== 'read') return;
  if (call.request.body === 'crash') throw new Error('out of memory');
  parentPort!.postMessage({ result: tasks.read(call.request) });
});
