import { startBackground } from './app/background.ts';
import { openFoundation } from './app/foundation.ts';
import { createMonitoring, startMonitor } from './app/monitoring.ts';
import type { Overrides } from './app/overrides.ts';
import { startWebServer } from './app/start-web-server.ts';
import type { Config } from './config.ts';
import type { DemoDesk } from './dev/demo/seed-desk.ts';
import type { Logger } from './platform/log.ts';

export type { Overrides } from './app/overrides.ts';

/** How long a gateway that stops waits for an answer of its blob store, in milliseconds. */
const stoppingStoreMs = 10_000;

/** A running gateway, with the roles that are configured. */
export interface App extends AsyncDisposable {
  /** Origin of the web server, `http://127.0.0.1:4000`; undefined for a process that only sends mail. */
  readonly url: string | undefined;
  /**
   * Origin of `/health` and `/metrics`. A web process serves them at `url`. A process that only sends mail
   * has a port of its own for them; undefined when that is 4001, the default, and another program has it.
   */
  readonly monitorUrl: string | undefined;
  /** Credentials of the demo desk, when there is one. */
  readonly demo: DemoDesk | undefined;
  /** The gateway's log. */
  readonly log: Logger;
}

/**
 * Starts a gateway with the roles that are configured, and resolves when it listens and works. It migrates
 * the database first. It installs no signal handlers.
 *
 * Disposing it drains: requests in progress are answered, live streams are cut, mails in transmission are
 * finished (for up to `config.drainSeconds`), and the embedded PostgreSQL is stopped.
 * @throws ConfigError when a setting has to be changed; EmbeddedInUse or EmbeddedUnavailable when the
 *   embedded PostgreSQL cannot start; or the error of another part. The parts that had started are stopped
 *   first.
 */
export async function createApp(config: Config, overrides: Overrides = {}): Promise<App> {
  const parts = new AsyncDisposableStack();
  try {
    return await start(config, overrides, parts);
  } catch (error) {
    await parts.disposeAsync();
    throw error;
  }
}

async function start(config: Config, overrides: Overrides, parts: AsyncDisposableStack): Promise<App> {
  const foundation = await openFoundation(config, overrides, parts);
  const monitoring = createMonitoring(foundation);
  const { demo, log } = foundation;
  overrides.onWork?.();
  const stop = (): Promise<void> => {
    foundation.blobs.waitAtMost?.(overrides.stoppingStoreMs ?? stoppingStoreMs);
    return parts.disposeAsync();
  };
  const shared = { demo, log, [Symbol.asyncDispose]: stop };
  if (config.roles.has('web')) {
    await startBackground(foundation, monitoring);
    const url = await startWebServer(foundation, monitoring);
    return { url, monitorUrl: url, ...shared };
  }
  // Before the worker, so that the monitor is stopped after the worker has drained.
  const monitorUrl = await startMonitor(foundation, monitoring);
  await startBackground(foundation, monitoring);
  parts.defer(monitoring.startDraining);
  return { url: undefined, monitorUrl, ...shared };
}
