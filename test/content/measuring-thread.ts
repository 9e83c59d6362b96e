import { Session } from 'node:inspector/promises';
import { GCProfiler, getHeapStatistics } from 'node:v8';
import { parentPort, workerData } from 'node:worker_threads';
import { tasks } from '../../src/content/thread-tasks.ts';
import type { Counted, Measured, Measurement } from './measuring.ts';

const { count, ...request } = workerData as Measurement;

function read(): string {
  try {
    tasks.read(request);
    return 'read';
  } catch (error) {
    if (!/HTML/.test((error as Error).message)) throw error;
    return 'refused';
  }
}

async function counted(): Promise<Counted> {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  const outcome = read();
  const { result } = await session.post('Profiler.takePreciseCoverage');
  const ranges = result.flatMap(({ functions }) => functions).flatMap((one) => one.ranges);
  return { steps: ranges.reduce((sum, range) => sum + range.count, 0), outcome };
}

function measured(): Measured {
  const warm = '<p style="color:red">a <b>b</b><table><tr><td>c</table>'.repeat(200);
  for (let run = 0; run < 3; run += 1) tasks.read({ ...request, body: warm });
  const collector = new GCProfiler();
  collector.start();
  const begin = process.threadCpuUsage();
  const outcome = read();
  const { user, system } = process.threadCpuUsage(begin);
  // `cost` is in microseconds.
  const collecting = collector.stop()!.statistics.reduce((sum, { cost }) => sum + cost / 1000, 0);
  const { used_heap_size: heapBytes } = getHeapStatistics();
  return { milliseconds: (user + system) / 1000, collecting, heapBytes, outcome };
}

parentPort!.postMessage(await (count ? counted() : measured()));
