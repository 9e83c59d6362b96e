import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Door, Outcome } from '../platform/request-notes.ts';
import type { DeliveryState } from '../platform/vocabulary.ts';
import { createGauges, type Gauges } from './gauges.ts';
import { processRegistry } from './process-metrics.ts';

/** Client programs that have a label of their own: the first ones to call. */
const maxClients = 100;

/** The metrics of a gateway; see `createMetrics`. */
export type Metrics = ReturnType<typeof createMetrics>;

/**
 * Creates the Prometheus metrics of a gateway. Labels come from closed sets: no name of a person, a ticket or
 * an address. The exception is the label `client`: the names of the first 100 programs that call the legacy
 * endpoint; further ones are counted as `other`.
 * @returns for scrapes: `watch(gauges)` adds sources, and `text()` reads them and resolves to the metrics in
 *   the text format, with those of the process; its Content-Type is `contentType`. To count something:
 *   `request`, `signInRefused`, `rateLimited`, `uploading` (1 when a file begins to arrive, -1 when it ends),
 *   `attempt` (to send a mail), `eventDelivered`, `webhookRequested` and `countLegacy`. Durations are in
 *   seconds
 */
export function createMetrics() {
  const registry = new Registry();
  const sources: Gauges[] = [];
  const readGauges = createGauges(registry, sources);
  const registryOfProcess = processRegistry();
  return {
    contentType: registry.contentType,
    /** Adds sources that are read at each scrape. */
    watch: (more: Gauges) => void sources.push(more),
    async text(): Promise<string> {
      await readGauges();
      return Registry.merge([registryOfProcess, registry]).metrics();
    },
    ...requestMetrics(registry),
    ...mailMetrics(registry),
    ...eventMetrics(registry),
    ...legacyMetrics(registry),
  };
}

function requestMetrics(registry: Registry) {
  const registers = [registry];
  const requests = new Counter({
    registers,
    name: 'ticketwire_http_requests_total',
    help: 'Requests, by door, status and outcome. A fault counts as one whatever its status.',
    labelNames: ['door', 'status', 'outcome'],
  });
  const durations = new Histogram({
    registers,
    name: 'ticketwire_http_request_duration_seconds',
    help: "From a request's head to the end of its response; streamed responses are left out.",
    labelNames: ['door'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
  });
  const refusals = new Counter({
    registers,
    name: 'ticketwire_refusals_total',
    help: 'Refusals and errors in responses, by door and code.',
    labelNames: ['door', 'code'],
  });
  const signIns = new Counter({
    registers,
    name: 'ticketwire_sign_ins_refused_total',
    help: 'Rejected credentials, by reason.',
    labelNames: ['reason'],
  });
  const limited = new Counter({
    registers,
    name: 'ticketwire_rate_limited_total',
    help: 'Requests and commands that exceeded a rate limit, by limit.',
    labelNames: ['limit'],
  });
  const uploads = new Gauge({
    registers,
    name: 'ticketwire_uploads_in_progress',
    help: 'Files that are being received.',
  });
  return {
    request(
      notes: { readonly door: Door; readonly codes?: readonly string[]; readonly lasting?: boolean },
      status: number,
      outcome: Outcome,
      seconds: number,
    ): void {
      const { door, codes, lasting } = notes;
      requests.inc({ door, status, outcome });
      if (lasting !== true) durations.observe({ door }, seconds);
      if (codes !== undefined) for (const code of codes) refusals.inc({ door, code });
    },
    signInRefused: (reason: string) => signIns.inc({ reason }),
    rateLimited: (limit: string) => limited.inc({ limit }),
    uploading: (by: 1 | -1) => uploads.inc(by),
  };
}

function mailMetrics(registry: Registry) {
  const registers = [registry];
  const attempts = new Counter({
    registers,
    name: 'ticketwire_mail_attempts_total',
    help: "Attempts to send a mail, by the mail's state afterwards and the phase that was reached.",
    labelNames: ['outcome', 'phase'],
  });
  const durations = new Histogram({
    registers,
    name: 'ticketwire_mail_attempt_duration_seconds',
    help: 'From the first step of an attempt until its outcome is committed.',
    labelNames: ['outcome'],
    buckets: [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900],
  });
  return {
    attempt(outcome: DeliveryState, phase: string, seconds: number): void {
      attempts.inc({ outcome, phase });
      durations.observe({ outcome }, seconds);
    },
  };
}

function eventMetrics(registry: Registry) {
  const lag = new Histogram({
    registers: [registry],
    name: 'ticketwire_event_lag_seconds',
    help: 'From an event being written until a subscriber receives it; replayed events are left out.',
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60],
  });
  const webhooks = new Counter({
    registers: [registry],
    name: 'ticketwire_webhook_requests_total',
    help: 'Requests to webhooks, by outcome: delivered, failed or gone.',
    labelNames: ['outcome'],
  });
  return {
    eventDelivered: (seconds: number) => lag.observe(Math.max(0, seconds)),
    webhookRequested: (outcome: string) => webhooks.inc({ outcome }),
  };
}

function legacyMetrics(registry: Registry) {
  const registers = [registry];
  const requests = new Counter({
    registers,
    name: 'ticketwire_legacy_requests_total',
    help: 'Calls of the legacy endpoint, by client program and status of the response.',
    labelNames: ['client', 'status'],
  });
  // Counted when they are read: a call sets up to eleven fields, and each label is 150 bytes of garbage.
  const uncounted = new Map<string, Map<string, number>>();
  new Counter({
    registers,
    name: 'ticketwire_legacy_fields_total',
    help: 'Fields that calls of the legacy endpoint set, by client program.',
    labelNames: ['client', 'field'],
    collect() {
      for (const [client, fields] of uncounted)
        for (const [field, count] of fields) this.inc({ client, field }, count);
      uncounted.clear();
    },
  });
  const clients = new Set<string>();
  // A caller can invent any number of names, and each label is held for ever.
  const labelOf = (client: string): string => {
    if (clients.size < maxClients) clients.add(client);
    return clients.has(client) ? client : 'other';
  };
  return {
    countLegacy({ client, fields, status }: { client: string; fields: readonly string[]; status: number }) {
      const label = labelOf(client);
      requests.inc({ client: label, status });
      const counts = uncounted.get(label) ?? new Map<string, number>();
      uncounted.set(label, counts);
      for (const field of fields) counts.set(field, (counts.get(field) ?? 0) + 1);
    },
  };
}
