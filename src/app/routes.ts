import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Authenticator } from '../auth/authenticate.ts';
import { prepareFindById } from '../auth/find-account.ts';
import { createExplorer } from '../dev/explorer/serve-page.ts';
import { createInboxPage } from '../dev/inbox/endpoint.ts';
import { type BeginRequest, createBeginRequest } from '../http/begin-request.ts';
import { originOf, remoteAddressOf } from '../http/caller-address.ts';
import { createCors } from '../http/cors.ts';
import { createDownloads } from '../http/downloads/attachments.ts';
import { answerSource } from '../http/downloads/raw-mail.ts';
import { refuseMethod, sendText } from '../http/respond.ts';
import type { Handle, Route } from '../http/server.ts';
import { createUploads } from '../http/uploads/routes.ts';
import { foldPath } from '../legacy/dotnet/fold-path.ts';
import { createLegacyEndpoint, refuseLegacy } from '../legacy/endpoint.ts';
import { createLedgerPage } from '../pages/ledger/endpoint.ts';
import { createImageSniffer } from '../storage/image-type.ts';
import type { TicketContext, TicketServices } from '../tickets/context.ts';
import type { Foundation } from './foundation.ts';
import type { GraphqlServer } from './graphql.ts';
import type { Monitoring } from './monitoring.ts';

interface RoutePorts {
  readonly foundation: Foundation;
  readonly monitoring: Monitoring;
  readonly services: TicketServices;
  readonly authenticator: Authenticator;
  readonly graphql: GraphqlServer;
}

type Cors = ReturnType<typeof createCors>;
type ContextOf = (req: IncomingMessage, res: ServerResponse) => Promise<TicketContext>;

/**
 * Creates the routes of the web server: GraphQL and GraphiQL, the legacy endpoint, `/`, health and metrics,
 * attachments, uploads, the sources of mails, the ledger, and `/inbox` if mail goes to the development inbox.
 * Their order counts: the first one that matches a request handles it.
 */
export function createRoutes(ports: RoutePorts): Route[] {
  const { services, monitoring } = ports;
  const { config } = ports.foundation;
  const cors = createCors(config.corsOrigins);
  const begin = beginOf(ports);
  const contextOf = async (req: IncomingMessage, res: ServerResponse): Promise<TicketContext> => ({
    ...(await begin(req, res)),
    services,
  });
  const { graphql, explorer } = graphqlRoutes(ports, cors, contextOf);
  return [
    graphql,
    // Before all routes with paths below them: such a path may be the old endpoint's once it is case-folded.
    legacyRoute(ports, begin),
    { door: 'home', prefix: '/', exact: true, handle: homeOf(config.explorer) },
    ...monitoring.routes,
    explorer,
    ...fileRoutes(ports, cors, begin, contextOf),
    ledgerRoute(ports),
    ...inboxRoutes(ports),
  ];
}

function beginOf({ foundation, monitoring, services, authenticator }: RoutePorts): BeginRequest {
  const { config, log, now } = foundation;
  return createBeginRequest({
    authenticator,
    rateLimits: services.rateLimits,
    log,
    now,
    trustProxy: config.trustProxy,
    publicUrl: config.publicUrl,
    blobs: services.blobs,
    limits: config.limits,
    uploading: monitoring.metrics.uploading,
  });
}

function legacyRoute({ foundation, monitoring, services, graphql }: RoutePorts, begin: BeginRequest): Route {
  const { config, log } = foundation;
  const { legacyRequestBytes, bodyBytes } = config.limits;
  const handle = createLegacyEndpoint({
    begin,
    originOf: (req) => originOf(req, config.trustProxy),
    execute: (operation, variables, context) =>
      graphql.execute(operation, variables as object, { ...context, services }),
    limits: { maxBodyBytes: legacyRequestBytes, maxTextChars: 2 * bodyBytes },
    count: monitoring.metrics.countLegacy,
    fault: (error) => log.error({ err: error }, 'fault'),
  });
  return { door: 'legacy', prefix: '/api', fold: foldPath, handle, refuse: refuseLegacy };
}

function homeOf(hasExplorer: boolean): Handle {
  const doors = 'Ticketwire: GraphQL at /graphql, the legacy endpoint at /api, the mail ledger at /ledger\n';
  return (req, res) => {
    if (refuseMethod(req, res)) return;
    if (hasExplorer) sendText(res, 302, 'See /graphql\n', { Location: '/graphql' });
    else sendText(res, 200, doors);
  };
}

/** GraphQL, and GraphiQL for a browser that navigates to the same path. */
function graphqlRoutes(
  { foundation, graphql }: RoutePorts,
  cors: Cors,
  contextOf: ContextOf,
): Readonly<Record<'graphql' | 'explorer', Route>> {
  const { config, demo, hasInbox } = foundation;
  const explorer = config.explorer
    ? createExplorer({
        demoAuthorization: demo && basicAuthorization(demo.operator),
        inboxPath: hasInbox ? '/inbox/' : undefined,
      })
    : async () => false;
  return {
    graphql: {
      door: 'graphql',
      prefix: '/graphql',
      exact: true,
      handle: cors(async (req, res, path) => {
        // The page is never sent by POST.
        if (req.method === 'POST' || !(await explorer(req, res, path)))
          await graphql.handle(req, res, contextOf);
      }),
    },
    explorer: {
      door: 'explorer',
      prefix: '/explorer',
      async handle(req, res, path) {
        if (!(await explorer(req, res, path))) sendText(res, 404, 'Not found\n');
      },
    },
  };
}

function fileRoutes(
  { foundation, monitoring, services }: RoutePorts,
  cors: Cors,
  begin: BeginRequest,
  contextOf: ContextOf,
): Route[] {
  const { config, now, log } = foundation;
  const downloads = createDownloads({
    begin,
    services,
    now,
    findReader: prepareFindById(services.database.desk, new Set(['read'])),
    sniff: createImageSniffer(services.blobs),
  });
  const uploads = createUploads({
    contextOf,
    maxBytes: config.limits.attachmentBytes,
    log,
    uploading: monitoring.metrics.uploading,
  });
  const source: Handle = async (req, res, path) =>
    answerSource(await contextOf(req, res), req, res, path.slice('/deliveries/'.length));
  return [
    { door: 'attachments', prefix: '/attachments', handle: cors(downloads) },
    { door: 'uploads', prefix: '/uploads', handle: cors(uploads) },
    { door: 'deliveries', prefix: '/deliveries', handle: cors(source) },
  ];
}

function ledgerRoute({ foundation: { config, demo, hasInbox } }: RoutePorts): Route {
  const handle = createLedgerPage({
    demoAuthorization: demo && basicAuthorization(demo.operator),
    links: { ...(hasInbox && { Inbox: '/inbox/' }), ...(config.explorer && { GraphiQL: '/graphql' }) },
  });
  return { door: 'ledger', prefix: '/ledger', handle };
}

function inboxRoutes({ foundation, services, authenticator }: RoutePorts): Route[] {
  if (!foundation.hasInbox) return [];
  const { trustProxy } = foundation.config;
  const handle = createInboxPage({
    db: services.database.desk,
    authenticate: authenticator.authenticate,
    addressOf: (req) => remoteAddressOf(req, trustProxy),
  });
  return [{ door: 'inbox', prefix: '/inbox', handle }];
}

const basicAuthorization = ({ login, password }: { login: string; password: string }): string =>
  `Basic ${Buffer.from(`${login}:${password}`).toString('base64')}`;
