import { parentPort } from 'node:worker_threads';
import { UnreadableBody } from './dom/tree.ts';
import { tasks } from './tasks.ts';
import type { Call } from './thread-pool.ts';

/* A thread that reads large bodies, so that the one which serves requests does not stand still meanwhile. */

parentPort!.on('message', (call: Call) => {
  try {
    parentPort!.postMessage({ result: done(call) });
  } catch (error) {
    if (!(error instanceof UnreadableBody)) throw error;
    parentPort!.postMessage({ problem: error.message });
  }
});

function done(call: Call): unknown {
  switch (call.task) {
    case 'read':
      return tasks.read(call.request);
    case 'takeOutPictures':
      return tasks.takeOutPictures(call.request);
    case 'encodeTextPart':
      return tasks.encodeTextPart(call.request);
  }
}
