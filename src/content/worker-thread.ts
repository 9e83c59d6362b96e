/*
 * The script of a worker thread, which processes large bodies so that they do not block the event loop of the
 * server. It answers each message of the pool (`thread-pool.ts`) with the task's result, or with the message
 * of an UnreadableBody. Any other error ends the thread.
 */

import { parentPort } from 'node:worker_threads';
import { UnreadableBody } from './dom/tree.ts';
import type { ThreadCall } from './thread-pool.ts';
import { tasks } from './thread-tasks.ts';

parentPort!.on('message', (call: ThreadCall) => {
  try {
    parentPort!.postMessage({ result: done(call) });
  } catch (error) {
    if (!(error instanceof UnreadableBody)) throw error;
    parentPort!.postMessage({ problem: error.message });
  }
});

function done(call: ThreadCall): unknown {
  switch (call.task) {
    case 'read':
      return tasks.read(call.request);
    case 'checkHtml':
      return tasks.checkHtml(call.request);
    case 'takeOutPictures':
      return tasks.takeOutPictures(call.request);
    case 'encodeTextPart':
      return tasks.encodeTextPart(call.request);
  }
}
