import { parentPort } from 'node:worker_threads';
import { type ReadRequest, read } from './read.ts';
import { UnreadableBody } from './tree.ts';

/* A thread that reads large bodies, so that the one which serves requests does not stand still meanwhile. */

parentPort!.on('message', (request: ReadRequest) => {
  try {
    parentPort!.postMessage({ body: read(request) });
  } catch (error) {
    if (!(error instanceof UnreadableBody)) throw error;
    parentPort!.postMessage({ problem: error.message });
  }
});
