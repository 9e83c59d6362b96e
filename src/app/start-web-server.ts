import { createFeeds } from '../events/feeds.ts';
import { createEventHub } from '../events/hub.ts';
import { drainable } from '../http/drain-server.ts';
import { createHttpServer } from '../http/server.ts';
import { findLastEventNumbers } from '../tickets/events/last-event-numbers.ts';
import { createRequestAuthenticator } from './authenticator.ts';
import type { Foundation } from './foundation.ts';
import { createGraphql } from './graphql.ts';
import { listen } from './listen.ts';
import type { Monitoring } from './monitoring.ts';
import { createRoutes } from './routes.ts';
import { createTicketServices } from './services.ts';

/**
 * Starts the HTTP server with all its routes. Its shutdown is registered in `foundation.parts`: readiness
 * says that the process is draining, live streams are cut, and requests in progress are answered.
 * @returns the origin that it listens on: `http://127.0.0.1:4000`
 * @throws ConfigError when HOST and PORT cannot be listened on, or TRUSTED_DOCUMENTS cannot be read or has no
 *   documents; Error for a plugin of `overrides` with a hook that would never be called
 */
export async function startWebServer(foundation: Foundation, monitoring: Monitoring): Promise<string> {
  const { config, overrides, parts, database, log } = foundation;
  const { metrics } = monitoring;
  const hub = parts.use(
    createEventHub({
      open: database.listener,
      findLastNumbers: (ids) => findLastEventNumbers(database.desk, ids),
      log,
    }),
  );
  const services = await createTicketServices(foundation, metrics, createFeeds(hub));
  const authenticator = createRequestAuthenticator(foundation, metrics);
  const graphql = createGraphql(foundation);
  metrics.watch({ streams: graphql.streams });
  const routes = createRoutes({ foundation, monitoring, services, authenticator, graphql });
  const server = createHttpServer(routes, {
    log,
    onRequestEnd: metrics.request,
    stallLimits: overrides.stallLimits,
  });
  const drain = drainable(server);
  const url = await listen(server, config);
  parts.defer(async () => {
    monitoring.startDraining();
    const drained = drain();
    // A stream has no end to wait for: its client reconnects with its cursor.
    graphql.cutStreams();
    await hub[Symbol.asyncDispose]();
    await drained;
  });
  return url;
}
