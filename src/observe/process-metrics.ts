import { performance } from 'node:perf_hooks';
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';

/**
 * How often the event loop's lag is sampled, milliseconds. Each sample wakes the process: at the library's
 * default of 10 ms, an idle gateway used more than 1 % of a core.
 */
const loopLagEveryMs = 500;

/** Gauges of the library, whose names say that they are counters. The same figures by type stay. */
const namedLikeCounters = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];

let registryOfProcess: Registry | undefined;

/**
 * Metrics of the process itself: CPU, memory, garbage collection, and the event loop's lag and utilization.
 * There is one registry for the process, however many gateways a test starts in it, because the event loop's
 * monitor cannot be stopped.
 */
export function processRegistry(): Registry {
  registryOfProcess ??= createRegistry();
  return registryOfProcess;
}

function createRegistry(): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: loopLagEveryMs });
  for (const name of namedLikeCounters) registry.removeSingleMetric(name);
  let before = performance.eventLoopUtilization();
  new Gauge({
    name: 'nodejs_eventloop_utilization_ratio',
    help: 'Share of the time since the last scrape in which the event loop was busy, from 0 to 1.',
    registers: [registry],
    collect() {
      const now = performance.eventLoopUtilization();
      this.set(performance.eventLoopUtilization(now, before).utilization);
      before = now;
    },
  });
  return registry;
}
