import { Counter, Gauge, type Registry } from 'prom-client';
import type { DeliveryState } from '../platform/vocabulary.ts';

/** Connections of one pool. */
export interface PoolLoad {
  /** Name of the pool. */
  readonly pool: string;
  /** Open connections. */
  readonly open: number;
  /** Connections that wait for an answer. */
  readonly busy: number;
  /** Statements and transactions that wait for a connection; undefined where they are not counted. */
  readonly waiting: number | undefined;
}

/** The replicas of the database, and the reads of this process. */
export interface ReplicaLoad {
  readonly replicas: readonly {
    readonly name: string;
    /** Bytes of the primary's log that it has not replayed; undefined: it does not answer. */
    readonly lagBytes: number | undefined;
  }[];
  /** Reads since the start of the process, by the server that answered. */
  readonly counts: Readonly<Record<'primary' | 'replica', number>>;
}

/** Unfinished mails of the whole desk. */
export interface Backlog {
  /** Number of mails in each state, and the age of the oldest in seconds. */
  readonly states: readonly {
    readonly state: DeliveryState;
    readonly deliveries: number;
    readonly oldestSeconds: number;
  }[];
  /** For how many seconds due mail has not moved; 0: it moves, or there is none. */
  readonly stalledSeconds: number;
}

/** Sources of gauges, each of which may be absent. They are called at each scrape, and only then. */
export interface Gauges {
  /** Connections to the database. */
  pools?(): readonly PoolLoad[];
  /** Undefined where there are no replicas. */
  replicas?(): ReplicaLoad | undefined;
  /** Number of open responses that stream events. */
  streams?(): number;
  /** Rejects when the database does not answer. */
  backlog?(): Promise<Backlog>;
  /** Number of webhooks in each state. Rejects when the database does not answer. */
  webhooks?(): Promise<readonly { readonly state: string; readonly webhooks: number }[]>;
}

/**
 * Creates the gauges for database connections, replicas, streams, the outbox and webhooks.
 * @param sources read at each call of the result, so that later additions count as well
 * @returns a function that reads every source and sets the gauges. A backlog that cannot be read is omitted,
 *   and `ticketwire_database_up` is 0. Webhooks that cannot be read are omitted as well. An error of another
 *   source is rethrown.
 */
export function createGauges(registry: Registry, sources: readonly Gauges[]): () => Promise<void> {
  const gauge = <L extends string>(name: string, help: string, ...labelNames: L[]) =>
    new Gauge({ name, help, labelNames, registers: [registry] });
  const connections = gauge(
    'ticketwire_database_connections',
    'Connections to the database, by pool; busy ones wait for an answer.',
    ...(['pool', 'state'] as const),
  );
  const waiting = gauge(
    'ticketwire_database_statements_waiting',
    'Statements and transactions that wait for a connection, by pool.',
    'pool',
  );
  const streams = gauge('ticketwire_event_streams', 'Open responses that stream events.');
  const setReplicas = createReplicaGauges(registry);
  const setBacklog = createBacklogGauges(registry);
  const webhooks = gauge(
    'ticketwire_webhooks',
    'Webhooks of the whole desk: ENABLED, FAILING or DISABLED. Every process reports the same value.',
    'state',
  );
  async function readSource(source: Gauges): Promise<void> {
    for (const { pool, open, busy, waiting: more } of source.pools?.() ?? []) {
      connections.set({ pool, state: 'busy' }, busy);
      connections.set({ pool, state: 'idle' }, open - busy);
      if (more !== undefined) waiting.set({ pool }, more);
    }
    setReplicas(source.replicas?.());
    if (source.streams !== undefined) streams.set(source.streams());
    if (source.backlog !== undefined) setBacklog(await source.backlog().catch(() => undefined));
    if (source.webhooks === undefined) return;
    const counts = await source.webhooks().catch(() => []);
    webhooks.reset();
    for (const one of counts) webhooks.set({ state: one.state }, one.webhooks);
  }
  // At the same time: what is late must not add up to more than a scrape waits.
  return async () => void (await Promise.all(sources.map(readSource)));
}

function createReplicaGauges(registry: Registry): (load: ReplicaLoad | undefined) => void {
  const registers = [registry];
  const up = new Gauge({
    name: 'ticketwire_replica_up',
    help: 'Whether a replica answers as one: 1 or 0.',
    labelNames: ['replica'],
    registers,
  });
  const lag = new Gauge({
    name: 'ticketwire_replica_lag_bytes',
    help: "Bytes of the primary's write-ahead log that a replica has not replayed, by the latest read.",
    labelNames: ['replica'],
    registers,
  });
  const reads = new Counter({
    name: 'ticketwire_replicated_reads_total',
    help: 'Reads of viewers where there are replicas, by the server that answered.',
    labelNames: ['server'],
    registers,
  });
  return (load) => {
    if (load === undefined) return;
    for (const { name: replica, lagBytes } of load.replicas) {
      up.set({ replica }, lagBytes === undefined ? 0 : 1);
      if (lagBytes === undefined) lag.remove({ replica });
      else lag.set({ replica }, lagBytes);
    }
    reads.reset();
    for (const [server, count] of Object.entries(load.counts)) reads.inc({ server }, count);
  };
}

function createBacklogGauges(registry: Registry): (backlog: Backlog | undefined) => void {
  const registers = [registry];
  const up = new Gauge({
    name: 'ticketwire_database_up',
    help: 'Whether the database answered this scrape: 1 or 0.',
    registers,
  });
  const outbox = new Gauge({
    name: 'ticketwire_outbox_deliveries',
    help: 'Unfinished mails of the whole desk, by state. Every process reports the same value.',
    labelNames: ['state'],
    registers,
  });
  const oldest = new Gauge({
    name: 'ticketwire_outbox_oldest_age_seconds',
    help: 'Age of the oldest unfinished mail, by state. Every process reports the same value.',
    labelNames: ['state'],
    registers,
  });
  const stalled = new Gauge({
    name: 'ticketwire_mail_stalled_seconds',
    help: 'How long due mail has not moved; 0 if it moves or there is none. Every process reports the same.',
    registers,
  });
  return (backlog) => {
    up.set(backlog === undefined ? 0 : 1);
    for (const each of [outbox, oldest, stalled]) each.reset();
    if (backlog === undefined) return stalled.remove();
    stalled.set(backlog.stalledSeconds);
    for (const { state, deliveries, oldestSeconds } of backlog.states) {
      outbox.set({ state }, deliveries);
      oldest.set({ state }, oldestSeconds);
    }
  };
}
