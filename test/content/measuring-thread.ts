import { getHeapStatistics } from 'node:v8';
import { parentPort, workerData } from 'node:worker_threads';
import { type ReadRequest, tasks } from '../../src/content/tasks.ts';
import type { Measured } from './measuring.ts';

const warm = '<p style="color:red">a <b>b</b><table><tr><td>c</table>'.repeat(200);
const request = workerData as ReadRequest;
for (let run = 0; run < 3; run += 1) tasks.read({ ...request, body: warm });
const cpu = () => process.threadCpuUsage().user / 1000 + process.threadCpuUsage().system / 1000;
const at = cpu();
let outcome = 'read';
try {
  tasks.read(request);
} catch (error) {
  outcome = 'refused';
  if (!/HTML/.test((error as Error).message)) throw error;
}
const milliseconds = cpu() - at;
const { used_heap_size: heapBytes } = getHeapStatistics();
parentPort!.postMessage({ milliseconds, heapBytes, outcome } satisfies Measured);
