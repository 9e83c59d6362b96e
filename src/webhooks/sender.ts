import type postgres from 'postgres';
import { webhooksChannel } from '../db/notify-channels.ts';
import { createInterruptibleSleep } from '../platform/interruptible-sleep.ts';
import { claimEndpoints, renewLease } from './leased-endpoints.ts';
import { type EndpointRun, runEndpoint, type SendingPorts } from './run-endpoint.ts';
import { requestMs } from './send-request.ts';

/** What the sender needs. */
export interface SenderPorts extends SendingPorts {
  /** The client that LISTENs for endpoints that were added or enabled. */
  readonly sql: postgres.Sql;
  /** Milliseconds after which an unrenewed lease expires; more than two requests take. 60,000 by default. */
  readonly leaseMs?: number;
  /**
   * Milliseconds between two rounds, which claim endpoints and renew leases: well below `leaseMs`. 5,000 by
   * default.
   */
  readonly pollMs?: number;
}

/** A loop that claims endpoints and sends events to them. */
export interface WebhookSender extends AsyncDisposable {
  /** Starts the loop, and returns immediately. A second call does nothing. Errors are logged and retried. */
  start(): void;
}

interface Leased {
  readonly run: EndpointRun;
  /** By this process's monotonic clock, from before the statement that wrote it. */
  until: number;
}

/**
 * Creates the sender, which is not started. Any number of processes may have one: an endpoint belongs to one
 * of them at a time, by a lease. Disposing it waits for requests that are under way, and releases its
 * endpoints.
 */
export function createWebhookSender(ports: SenderPorts): WebhookSender {
  const { db, log, leaseMs = 60_000, pollMs = 5000 } = ports;
  const running = new Map<number, Leased>();
  const pause = createInterruptibleSleep();
  let isStopping = false;
  let loop: Promise<void> | undefined;
  let listening: Promise<postgres.ListenMeta> | undefined;

  async function claim(): Promise<void> {
    const until = performance.now() + leaseMs;
    for (const endpoint of await claimEndpoints(db, leaseMs)) {
      // This process had it, and the lease expired: the earlier run stops, because its token is no longer
      // valid.
      running.get(endpoint.id)?.run.stop();
      const mayRequest = () => performance.now() + requestMs < leased.until;
      const leased: Leased = { until, run: runEndpoint(ports, endpoint, mayRequest) };
      running.set(endpoint.id, leased);
      void leased.run.ended.then(() => {
        if (running.get(endpoint.id) === leased) running.delete(endpoint.id);
      });
    }
  }

  async function renew(): Promise<void> {
    for (const leased of running.values()) {
      const until = performance.now() + leaseMs;
      if (await renewLease(db, leased.run.lease, leaseMs)) leased.until = until;
      else leased.run.stop();
    }
  }

  // Some endpoint was added or enabled, perhaps one that waits here for a retry.
  function hear(): void {
    pause.wake();
    for (const leased of running.values()) leased.run.lookAgain();
  }

  async function run(): Promise<void> {
    let renewedAt = performance.now();
    while (!isStopping) {
      pause.reset();
      try {
        if (performance.now() - renewedAt > leaseMs / 4) {
          renewedAt = performance.now();
          await renew();
        }
        await claim();
      } catch (err) {
        log.error({ err }, 'reading webhooks failed, retrying');
      }
      await pause.sleep(pollMs);
    }
  }

  return {
    start() {
      if (loop !== undefined) return;
      listening = ports.sql.listen(webhooksChannel, hear, hear);
      listening.catch((err) => log.error({ err }, 'LISTEN for webhooks failed; polling instead'));
      loop = run();
    },
    async [Symbol.asyncDispose]() {
      isStopping = true;
      pause.wake();
      await loop;
      await listening?.then(({ unlisten }) => unlisten()).catch(() => {});
      for (const { run } of running.values()) run.stop();
      await Promise.all([...running.values()].map(({ run }) => run.ended));
    },
  };
}
