import { performance } from 'node:perf_hooks';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Door, Outcome } from '../platform/request-notes.ts';
import type { DeliveryState } from '../platform/vocabulary.ts';

/** Client programs that are told apart, the first ones to call. */
const maxClients = 100;
/**
 * How often the event loop's lag is measured, milliseconds: each time wakes the process. At the library's own
 * 10 ms an idle gateway used more than one per cent of a core.
 */
const loopLagEveryMs = 500;

export interface PoolLoad {
  readonly pool: string;
  readonly open: number;
  /** An answer is waited for. */
  readonly busy: number;
  /** Statements and transactions beyond what there are connections for. */
  readonly waiting: number;
}

/** Mails that have not come to their end, as the whole desk has them. */
export interface Backlog {
  readonly states: readonly {
    readonly state: DeliveryState;
    readonly deliveries: number;
    readonly oldestSeconds: number;
  }[];
  /** How long mail that should go has not moved; 0: it moves, or there is none. */
  readonly stalledSeconds: number;
}

/** What is read when somebody asks for the metrics, and costs nothing until then. */
export interface Gauges {
  pools?(): readonly PoolLoad[];
  streams?(): number;
  backlog?(): Promise<Backlog>;
}

let ofProcess: Registry | undefined;

/**
 * One for the process, however many gateways a test starts in it: what measures the event loop goes on for
 * ever.
 */
function processRegistry(): Registry {
  if (ofProcess !== undefined) return ofProcess;
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: loopLagEveryMs });
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
  ofProcess = registry;
  return registry;
}

export type Metrics = ReturnType<typeof createMetrics>;

/** Prometheus metrics. Labels are of closed sets: no name of a person, a ticket or an address. */
export function createMetrics() {
  const registry = new Registry();
  const gauges: Gauges[] = [];
  const of = { registers: [registry] };
  const requests = new Counter({
    ...of,
    name: 'ticketwire_http_requests_total',
    help: 'Requests, by door, status and how they ended. A fault is one whatever its status.',
    labelNames: ['door', 'status', 'outcome'],
  });
  const durations = new Histogram({
    ...of,
    name: 'ticketwire_http_request_duration_seconds',
    help: 'From the head of a request to the end of its answer; without answers that come bit by bit.',
    labelNames: ['door'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
  });
  const refusals = new Counter({
    ...of,
    name: 'ticketwire_refusals_total',
    help: 'Refusals and errors that callers were told, by door and code.',
    labelNames: ['door', 'code'],
  });
  const signIns = new Counter({
    ...of,
    name: 'ticketwire_sign_ins_refused_total',
    help: 'Credentials that were refused, by the reason.',
    labelNames: ['reason'],
  });
  const limited = new Counter({
    ...of,
    name: 'ticketwire_rate_limited_total',
    help: 'Requests and commands that came too often, by the limit that they exceeded.',
    labelNames: ['limit'],
  });
  const attempts = new Counter({
    ...of,
    name: 'ticketwire_mail_attempts_total',
    help: 'Attempts to send a mail, by what became of the mail and the phase that was reached.',
    labelNames: ['outcome', 'phase'],
  });
  const attemptDurations = new Histogram({
    ...of,
    name: 'ticketwire_mail_attempt_duration_seconds',
    help: 'From the first step of an attempt until its outcome is in the ledger.',
    labelNames: ['outcome'],
    buckets: [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900],
  });
  const uploads = new Gauge({
    ...of,
    name: 'ticketwire_uploads_in_progress',
    help: 'Files that are arriving.',
  });
  const lag = new Histogram({
    ...of,
    name: 'ticketwire_event_lag_seconds',
    help: 'From an event being written until a watcher is told of it; without the replay of missed ones.',
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60],
  });
  const legacy = legacyCounters(registry);
  const refresh = observed(registry, gauges);
  const ofAll = processRegistry();

  return {
    contentType: registry.contentType,
    /** Adds what is read at a scrape. */
    watch: (more: Gauges) => void gauges.push(more),
    async text(): Promise<string> {
      await refresh();
      return Registry.merge([ofAll, registry]).metrics();
    },
    request(
      noted: { readonly door: Door; readonly codes?: readonly string[]; readonly lasting?: boolean },
      status: number,
      outcome: Outcome,
      seconds: number,
    ): void {
      const { door, codes, lasting } = noted;
      requests.inc({ door, status, outcome });
      if (lasting !== true) durations.observe({ door }, seconds);
      if (codes !== undefined) for (const code of codes) refusals.inc({ door, code });
    },
    signInRefused: (reason: string) => signIns.inc({ reason }),
    rateLimited: (limit: string) => limited.inc({ limit }),
    attempt(outcome: DeliveryState, phase: string, seconds: number): void {
      attempts.inc({ outcome, phase });
      attemptDurations.observe({ outcome }, seconds);
    },
    uploading: (by: 1 | -1) => uploads.inc(by),
    eventTold: (seconds: number) => lag.observe(Math.max(0, seconds)),
    ...legacy,
  };
}

function legacyCounters(registry: Registry) {
  const legacyRequests = new Counter({
    name: 'ticketwire_legacy_requests_total',
    help: 'Calls of the legacy endpoint, by the client program and the status of the answer.',
    labelNames: ['client', 'status'],
    registers: [registry],
  });
  const legacyFields = new Counter({
    name: 'ticketwire_legacy_fields_total',
    help: 'Fields that calls of the legacy endpoint set, by the client program.',
    labelNames: ['client', 'field'],
    registers: [registry],
  });
  const clients = new Set<string>();
  // A caller makes up as many names as he likes, and each would be kept for ever.
  const labelOf = (client: string): string => {
    if (clients.size < maxClients) clients.add(client);
    return clients.has(client) ? client : 'other';
  };
  return {
    countLegacy({ client, fields, status }: { client: string; fields: readonly string[]; status: number }) {
      const known = labelOf(client);
      legacyRequests.inc({ client: known, status });
      for (const field of fields) legacyFields.inc({ client: known, field });
    },
  };
}

/** @returns reads every gauge anew; what cannot be read is left out, and `ticketwire_database_up` says so */
function observed(registry: Registry, sources: readonly Gauges[]): () => Promise<void> {
  const gauge = <L extends string>(name: string, help: string, ...labelNames: L[]) =>
    new Gauge({ name, help, labelNames, registers: [registry] });
  const up = gauge('ticketwire_database_up', 'Whether the database answered this scrape: 1 or 0.');
  const connections = gauge(
    'ticketwire_database_connections',
    'Connections to the database, by pool; busy: an answer is waited for.',
    ...(['pool', 'state'] as const),
  );
  const waiting = gauge(
    'ticketwire_database_statements_waiting',
    'Statements and transactions beyond what the pool has connections for.',
    'pool',
  );
  const streams = gauge('ticketwire_event_streams', 'Answers that come bit by bit: whoever watches has one.');
  const outbox = gauge(
    'ticketwire_outbox_deliveries',
    'Mails of the whole desk that have not come to their end, by state. Each process says the same.',
    'state',
  );
  const oldest = gauge(
    'ticketwire_outbox_oldest_age_seconds',
    'Age of the oldest of these mails, by state. Each process says the same.',
    'state',
  );
  const stalled = gauge(
    'ticketwire_mail_stalled_seconds',
    'How long mail that should go has not moved; 0: it moves, or there is none. Each process says the same.',
  );
  const readBacklog = async (read: () => Promise<Backlog>) => {
    const backlog = await read().catch(() => undefined);
    up.set(backlog === undefined ? 0 : 1);
    for (const each of [outbox, oldest, stalled]) each.reset();
    if (backlog === undefined) return stalled.remove();
    stalled.set(backlog.stalledSeconds);
    for (const { state, deliveries, oldestSeconds } of backlog.states) {
      outbox.set({ state }, deliveries);
      oldest.set({ state }, oldestSeconds);
    }
  };
  return async () => {
    for (const source of sources) {
      for (const { pool, open, busy, waiting: more } of source.pools?.() ?? []) {
        connections.set({ pool, state: 'busy' }, busy);
        connections.set({ pool, state: 'idle' }, open - busy);
        waiting.set({ pool }, more);
      }
      if (source.streams !== undefined) streams.set(source.streams());
      if (source.backlog !== undefined) await readBacklog(() => source.backlog!());
    }
  };
}
