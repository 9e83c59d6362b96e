import { ConfigError } from '../config.ts';
import type { ReplicatedReads } from '../db/replicas/read-from-replicas.ts';
import { drainable } from '../http/drain-server.ts';
import { type BackgroundState, createHealth } from '../http/health.ts';
import { createMetricsPage } from '../http/metrics-page.ts';
import { createHttpServer, type Route } from '../http/server.ts';
import { createBacklog, createMailCheck } from '../mail/outbox/backlog.ts';
import { createMetrics, type Metrics } from '../observe/metrics.ts';
import { createPromptRead } from '../observe/prompt-read.ts';
import { createStoreCheck } from '../storage/check-store.ts';
import { countWebhooks } from '../webhooks/administration.ts';
import type { Foundation } from './foundation.ts';
import { listen } from './listen.ts';

/** Port of the health and metrics of a process that only sends mail, unless WORKER_PORT is set. */
const usualWorkerPort = 4001;

/** Health and metrics of the process. */
export interface Monitoring {
  /** The counters and gauges that `/metrics` shows. */
  readonly metrics: Metrics;
  /** The routes `/health` (with `/health/live` and `/health/ready`) and `/metrics`. */
  readonly routes: readonly Route[];
  /** From now on `/health/ready` answers 503 with the status `draining`. Stops nothing. */
  startDraining(): void;
}

/**
 * Creates the metrics and the health checks, and the routes that serve them. It does not listen. A process is
 * ready when the database and the blob store work. The states of garbage collection, of sending mail and of
 * the replicas are reported too, and do not make it unready.
 */
export function createMonitoring({
  config,
  log,
  database,
  blobs,
  collectionSchedule,
}: Foundation): Monitoring {
  const metrics = createMetrics();
  const backlog = createBacklog(database.raw);
  metrics.watch({ pools: database.loads, replicas: () => database.replicas, backlog });
  metrics.watch({ webhooks: createPromptRead(async () => countWebhooks(database.desk)) });
  let draining = false;
  const health = createHealth(
    { database: () => database.check(), blobs: createStoreCheck(blobs, log) },
    () => draining,
    {
      collection: () => (collectionSchedule.why() === undefined ? 'ok' : 'off'),
      mail: createMailCheck(backlog, config.mailStalledSeconds),
      ...(database.replicas === undefined ? {} : { replicas: replicaCheck(database.replicas) }),
    },
  );
  return {
    metrics,
    routes: [
      { door: 'health', prefix: '/health', handle: health },
      { door: 'metrics', prefix: '/metrics', handle: createMetricsPage(metrics, config.metricsToken) },
    ],
    startDraining() {
      draining = true;
    },
  };
}

/** `degraded` while a replica is behind or down: reads continue on the other servers. */
const replicaCheck =
  ({ replicas }: ReplicatedReads): (() => BackgroundState) =>
  () =>
    replicas.every(({ status }) => status === 'ok') ? 'ok' : 'degraded';

const isTaken = (error: unknown): boolean =>
  error instanceof ConfigError && (error.cause as NodeJS.ErrnoException).code === 'EADDRINUSE';

/**
 * Serves health and metrics of a process without the role `web`, on HOST and WORKER_PORT. The server stops
 * with `parts`. Without WORKER_PORT, the port is 4001; when another program has that port, a warning is
 * logged and the process goes on without health and metrics.
 * @returns the origin that it listens on; undefined when 4001 was taken
 * @throws ConfigError when WORKER_PORT is set and taken, or this address cannot be listened on for another
 *   reason
 */
export async function startMonitor(
  { config, log, parts }: Foundation,
  { routes }: Monitoring,
): Promise<string | undefined> {
  const { host, workerPort: port = usualWorkerPort } = config;
  const server = createHttpServer(routes, { log });
  try {
    const url = await listen(server, { host, port }, 'WORKER_PORT');
    parts.defer(drainable(server));
    return url;
  } catch (error) {
    if (config.workerPort !== undefined || !isTaken(error)) throw error;
    log.warn(`port ${port} is taken, and WORKER_PORT is not set: this process has no health and no metrics`);
    return undefined;
  }
}
