import { once } from 'node:events';
import { existsSync } from 'node:fs';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { and, eq, isNotNull, isNull } from 'drizzle-orm';
import { type Authenticator, createAuthenticator } from './auth/authenticate.ts';
import type { ScryptParameters } from './auth/scrypt.ts';
import { prepareFindById } from './auth/viewer.ts';
import { type Config, ConfigError } from './config.ts';
import { createClock } from './db/clock.ts';
import { type Connection, connectionsAtMost, type Database, migrate, openDatabase } from './db/database.ts';
import { findDeskKey } from './db/desk-key.ts';
import { attachments, mailboxes } from './db/tables.ts';
import { type DemoDesk, demoHashes, retireDemoAccounts, seedDemoDesk } from './dev/demo/desk.ts';
import { type Embedded, startEmbedded } from './dev/embedded-postgres/embedded.ts';
import { explorerDist } from './dev/explorer/build.ts';
import { createExplorer } from './dev/explorer/endpoint.ts';
import { createInboxPage } from './dev/inbox/endpoint.ts';
import { startInbox } from './dev/inbox/smtp/server.ts';
import { createEventHub } from './events/hub.ts';
import { readTrustedDocuments, type TrustedDocuments } from './graphql/execute/trusted-documents.ts';
import type { OperationPlugin } from './graphql/execute/yoga.ts';
import { createMultipartReader } from './graphql/http/multipart/request.ts';
import { createGraphqlServer, type GraphqlOptions } from './graphql/server.ts';
import { createCors } from './http/cors.ts';
import { createDownloads } from './http/downloads/attachments.ts';
import { answerSource } from './http/downloads/delivery-source.ts';
import { drainable } from './http/drain.ts';
import { createHealth } from './http/health.ts';
import { createMetricsPage } from './http/metrics.ts';
import { answerText } from './http/respond.ts';
import { createHttpServer, type Handle, type Route } from './http/server.ts';
import { createBegin, originOf, remoteAddressOf } from './http/sign-in.ts';
import type { Patience } from './http/slow-connections.ts';
import { createUploads } from './http/uploads/routes.ts';
import { foldPath } from './legacy/dotnet/path.ts';
import { createLegacyDoor, refuseLegacy } from './legacy/endpoint.ts';
import { Places } from './limits/places.ts';
import { createRateLimits } from './limits/rate-limits.ts';
import { createBacklog, createMailChore } from './mail/outbox/backlog.ts';
import { createWorker } from './mail/worker/worker.ts';
import { createMetrics, type Metrics } from './observe/metrics.ts';
import { openTracing } from './observe/tracing.ts';
import { createLog, type Logger } from './platform/log.ts';
import { createScanner } from './scan/scanner.ts';
import { naming } from './start-error.ts';
import { createStoreCheck } from './storage/check-store.ts';
import { startCollecting } from './storage/garbage/schedule.ts';
import { createImageSniffer } from './storage/image-type.ts';
import { openCheckedStore } from './storage/open-store.ts';
import { createGroupCommit } from './tickets/add-message/commit/group-commit.ts';
import { type GroupCommitLimits, writerStatements } from './tickets/add-message/commit/group-limits.ts';
import { createDryRun } from './tickets/add-message/commit/rules.ts';
import type { TicketContext, TicketServices } from './tickets/context.ts';
import { createAttachmentUrls } from './tickets/read/signed-url.ts';

/** Where a process that only sends mail has its health and metrics, if the port is free. */
const usualWorkerPort = 4001;

export interface App extends AsyncDisposable {
  /** `http://127.0.0.1:4000`; undefined for a process that only sends mail. */
  readonly url: string | undefined;
  /** Where `/health` and `/metrics` are; undefined: nowhere, as the port was taken. */
  readonly monitorUrl: string | undefined;
  /** Credentials of the demo desk, when there is one. */
  readonly demo: DemoDesk | undefined;
  readonly log: Logger;
}

/** What a test or a benchmark may put in the place of the real thing. */
export interface Overrides {
  readonly now?: () => Date;
  readonly log?: Logger;
  /** The embedded server, when it was started already: it starts while the program is still being loaded. */
  readonly embedded?: Promise<Embedded> | undefined;
  /** In the place of the configured database. */
  readonly connections?: { readonly gateway: Connection; readonly owner: Connection };
  readonly writer?: GroupCommitLimits;
  /** When connections that do not move are cut. */
  readonly patience?: Patience;
  /** Of the password hashes that are made. */
  readonly passwordCost?: ScryptParameters;
  /** Run for every operation, behind the gateway's own. */
  readonly operationPlugins?: readonly OperationPlugin[];
}

/**
 * Joins the parts into one running gateway; disposing it drains: no request that has arrived is cut, and no
 * mail is half sent.
 * @throws EmbeddedInUse, or whatever a part says that cannot start; what had started is stopped again.
 */
export async function createApp(config: Config, overrides: Overrides = {}): Promise<App> {
  const parts = new AsyncDisposableStack();
  try {
    return await join(config, overrides, parts);
  } catch (error) {
    await parts.disposeAsync();
    throw error;
  }
}

async function join(config: Config, overrides: Overrides, parts: AsyncDisposableStack): Promise<App> {
  const log = overrides.log ?? createLog(config.logLevel);
  assertExplorer(config);
  for (const warning of config.warnings) log.warn(warning);
  if (config.tracesUrl !== undefined) parts.use(await openTracing(config.tracesUrl));
  const { gateway, owner } = overrides.connections ?? (await connect(config, overrides, parts, log));
  const ownerSetting = isOwnerNamed(config) ? 'DATABASE_OWNER_URL' : 'DATABASE_URL';
  await naming(ownerSetting, () => migrate(owner, (waitsFor) => log.warn(`the start waits for ${waitsFor}`)));
  const database = parts.use(
    openDatabase(gateway, {
      poolSize: config.poolSize,
      writerSize: writerStatements(overrides.writer),
      answerWithinMs: config.databaseTimeout * 1000,
    }),
  );
  await naming('DATABASE_URL', () => database.checkAll());
  await warnOfConnections(config, database, log);
  const now = overrides.now ?? parts.use(await createClock(database.raw, log)).now;
  const demo = await prepareDemo(config, database, log);
  const blobs = await openCheckedStore(config.blobs, database.desk);
  const collecting = parts.use(startCollecting(database.desk, blobs, log, config.inboxKeepDays));
  const inbox =
    config.smtp.kind === 'inbox' ? parts.use(await startInbox(database.desk, { log })) : undefined;
  const smtpUrl = inbox?.url ?? (config.smtp.kind === 'url' ? config.smtp.url : undefined);
  await assertSends(smtpUrl, database);
  const metrics = createMetrics();
  const backlog = createBacklog(database.raw);
  metrics.watch({ pools: database.loads, backlog });
  const dispose = () => parts.disposeAsync();
  let draining = false;
  const health = createHealth(
    { database: () => database.check(), blobs: createStoreCheck(blobs, log) },
    () => draining,
    {
      collection: () => (collecting.why() === undefined ? 'ok' : 'off'),
      mail: createMailChore(backlog, config.mailStalledSeconds),
    },
  );
  const watched = { config, log, metrics, health };
  // Before the worker, so that it is told of until the worker's drain is over.
  const monitorUrl = config.roles.has('web') ? undefined : await startMonitor(watched, parts);
  if (config.roles.has('worker')) {
    const { attempt: attempted } = metrics;
    const { mailboxKey } = config;
    const drain = { endsMs: config.drainSeconds * 1000 };
    parts
      .use(createWorker({ sql: database.raw, blobs, smtpUrl, mailboxKey, now, log, attempted, drain }))
      .start();
  }
  if (config.clamd !== undefined)
    parts.use(createScanner({ sql: database.raw, blobs, clamd: config.clamd, log })).start();
  else await warnOfUnscanned(database, log);
  if (!config.roles.has('web')) {
    parts.defer(() => {
      draining = true;
    });
    return { url: undefined, monitorUrl, demo, log, [Symbol.asyncDispose]: dispose };
  }

  const sendsByDefault = smtpUrl !== undefined;
  const events = parts.use(createEventHub(database.listener, log));
  const services: TicketServices = {
    database,
    blobs,
    groupCommit: parts.use(
      createGroupCommit(database.writer, sendsByDefault, {
        // Half of what a statement may take, so that there is time for an answer.
        lockPatience: config.databaseTimeout * 500,
        ...overrides.writer,
      }),
    ),
    dryRun: createDryRun(database.desk, sendsByDefault),
    events,
    eventTold: metrics.eventTold,
    watching: new Places('TOO_MANY_SUBSCRIPTIONS', config.limits.subscriptions),
    limits: config.limits,
    rateLimits: createRateLimits(
      config.rateLimits,
      (text, values) => database.raw.unsafe(text, values as never[], { prepare: true }),
      metrics.rateLimited,
    ),
    attachmentUrls: createAttachmentUrls(await findDeskKey(database.desk, 'attachment-urls')),
    scans: config.clamd !== undefined,
    sendsByDefault,
  };
  const authenticator = parts.use(
    createAuthenticator({
      db: database.desk,
      jwt: config.jwt,
      legacyCharset: config.legacyCharset,
      ...(config.database.kind === 'embedded' ? { knownPasswords: demoHashes } : {}),
      passwordCost: overrides.passwordCost,
      now,
      log,
      refused: metrics.signInRefused,
    }),
  );
  const graphql = createGraphqlServer(graphqlOptions(config, log, overrides.operationPlugins));
  const hasInbox = inbox !== undefined;
  metrics.watch({ streams: graphql.streams });
  const doors = { ...watched, services, authenticator, now, demo, graphql, hasInbox };
  const ports = { log, seen: metrics.request, patience: overrides.patience };
  const server = createHttpServer(routesOf(doors), ports);
  const drain = drainable(server);
  const url = await listen(server, config);
  parts.defer(async () => {
    draining = true;
    const drained = drain();
    // Streams have no end of their own to wait for: their watchers come back with their cursor.
    graphql.cutStreams();
    await events[Symbol.asyncDispose]();
    await drained;
  });
  return { url, monitorUrl: url, demo, log, [Symbol.asyncDispose]: dispose };
}

/** What tells others how the process fares. */
interface Watched {
  readonly config: Config;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly health: Handle;
}

interface Doors extends Watched {
  readonly services: TicketServices;
  readonly authenticator: Authenticator;
  readonly now: () => Date;
  readonly demo: DemoDesk | undefined;
  readonly graphql: ReturnType<typeof createGraphqlServer>;
  readonly hasInbox: boolean;
}

function graphqlOptions(
  { production, limits, trustedDocuments }: Config,
  log: Logger,
  plugins: readonly OperationPlugin[] = [],
): GraphqlOptions {
  const { requestBytes, answerBytes } = limits;
  const multipartBytes = 2 * limits.messageAttachmentsBytes + requestBytes;
  const readMultipart = createMultipartReader({
    ...{ requestBytes, files: 100, multipartBytes },
    openForms: limits.openForms,
  });
  const trusted = trustedDocuments === undefined ? undefined : trustedIn(trustedDocuments);
  return { log, production, answerBytes, plugins, requestBytes, readMultipart, trusted };
}

function trustedIn(path: string): TrustedDocuments {
  try {
    return readTrustedDocuments(path);
  } catch (error) {
    throw new ConfigError(`TRUSTED_DOCUMENTS: ${(error as Error).message}`, { cause: error });
  }
}

const monitoringOf = ({ config, metrics, health }: Watched): Route[] => [
  { door: 'health', prefix: '/health', handle: health },
  { door: 'metrics', prefix: '/metrics', handle: createMetricsPage(metrics, config.metricsToken) },
];

/** What answers which path. */
function routesOf(doors: Doors): Route[] {
  const { config, services, authenticator, now, log, demo, metrics, graphql, hasInbox } = doors;
  const { limits, trustProxy } = config;
  const cors = createCors(config.corsOrigins);
  const { authenticate } = authenticator;
  const begin = createBegin({
    authenticator,
    rateLimits: services.rateLimits,
    log,
    now,
    trustProxy,
    publicUrl: config.publicUrl,
    blobs: services.blobs,
    limits,
    uploading: metrics.uploading,
  });
  const contextOf = async (req: IncomingMessage, res: ServerResponse): Promise<TicketContext> => ({
    ...(await begin(req, res)),
    services,
  });
  const explorer = config.explorer
    ? createExplorer({
        demoAuthorization: demo && basicAuthorization(demo.operator),
        inboxPath: hasInbox ? '/inbox/' : undefined,
      })
    : async () => false;
  const legacy = createLegacyDoor({
    begin,
    originOf: (req) => originOf(req, trustProxy),
    execute: (operation, variables, context) =>
      graphql.execute(operation, variables as object, { ...context, services }),
    limits: { maxBodyBytes: limits.legacyRequestBytes, maxTextChars: 2 * limits.bodyBytes },
    count: metrics.countLegacy,
    fault: (error) => log.error({ err: error }, 'fault'),
  });
  const home: Handle = (_req, res) =>
    config.explorer
      ? answerText(res, 302, 'See /graphql\n', { Location: '/graphql' })
      : answerText(res, 200, 'Ticketwire: GraphQL at /graphql, the legacy endpoint at /api\n');
  const routes: Route[] = [
    // First, as what is another's path by its letters may be the old endpoint's once it is folded.
    { door: 'legacy', prefix: '/api', fold: foldPath, handle: legacy, refuse: refuseLegacy },
    { door: 'home', prefix: '/', exact: true, handle: home },
    ...monitoringOf(doors),
    {
      door: 'graphql',
      prefix: '/graphql',
      exact: true,
      handle: cors(async (req, res, path) => {
        if (!(await explorer(req, res, path))) await graphql.handle(req, res, contextOf);
      }),
    },
    {
      door: 'explorer',
      prefix: '/explorer',
      async handle(req, res, path) {
        if (!(await explorer(req, res, path))) answerText(res, 404, 'Not found\n');
      },
    },
    {
      door: 'attachments',
      prefix: '/attachments',
      handle: cors(
        createDownloads({
          begin,
          services,
          now,
          findReader: prepareFindById(services.database.desk, new Set(['read'])),
          sniff: createImageSniffer(services.blobs),
        }),
      ),
    },
    {
      door: 'uploads',
      prefix: '/uploads',
      handle: cors(
        createUploads({
          contextOf,
          maxBytes: limits.attachmentBytes,
          log,
          uploading: metrics.uploading,
        }),
      ),
    },
    {
      door: 'deliveries',
      prefix: '/deliveries',
      handle: cors(async (req, res, path) =>
        answerSource(await contextOf(req, res), req, res, path.slice('/deliveries/'.length)),
      ),
    },
  ];
  const addressOf = (req: IncomingMessage) => remoteAddressOf(req, trustProxy);
  if (hasInbox)
    routes.push({
      door: 'inbox',
      prefix: '/inbox',
      handle: createInboxPage({ db: services.database.desk, authenticate, addressOf }),
    });
  return routes;
}

/** The demo desk, or the certainty that its known passwords open nothing. */
async function prepareDemo(config: Config, { desk }: Database, log: Logger): Promise<DemoDesk | undefined> {
  if (config.demo) return seedDemoDesk(desk);
  if (config.database.kind === 'embedded' && (await retireDemoAccounts(desk)) > 0) {
    log.warn('the demo accounts are closed, as HOST can be reached by others');
  }
  return undefined;
}

/** @throws ConfigError when no mail could ever be sent: a desk would notice by its silence */
async function assertSends(smtpUrl: string | undefined, { desk }: Database): Promise<void> {
  if (smtpUrl !== undefined) return;
  const own = await desk.$count(mailboxes, and(isNotNull(mailboxes.smtpUrl), isNull(mailboxes.disabledAt)));
  if (own === 0) {
    throw new ConfigError(
      'SMTP_URL: is required as long as no mailbox has SMTP settings of its own ("inbox:" is the development inbox)',
    );
  }
}

/**
 * @throws ConfigError when the page was asked for and is not there: it is built with the development packages
 */
function assertExplorer({ explorer, production }: Config): void {
  if (explorer && production && !existsSync(`${explorerDist}/index.html`))
    throw new ConfigError(
      'EXPLORER: the page is not built; `npm ci` with the development packages builds it, and dist/ can be brought along',
    );
}

/** A server that runs out of connections refuses some of the gateway's, at the busiest hour. */
async function warnOfConnections({ poolSize }: Config, { raw }: Database, log: Logger): Promise<void> {
  const [server] = await raw<[{ connections: number }]>`
    select current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int as connections`;
  const most = connectionsAtMost({ poolSize });
  const facts = { connections: most, serverHas: server!.connections };
  if (most > server!.connections)
    log.warn(facts, 'DATABASE_POOL: this process may want more connections than the server has');
  else log.info(facts, 'connections of this process at most');
}

/** What waited for a scanner that is not asked any more would wait for ever, and in silence. */
async function warnOfUnscanned({ desk }: Database, log: Logger): Promise<void> {
  const files = await desk.$count(attachments, eq(attachments.scan, 'PENDING'));
  if (files > 0)
    log.warn({ files }, 'files wait for a scan, and CLAMD_URL is not set: their mails are not sent');
}

async function connect(
  config: Config,
  { embedded }: Overrides,
  parts: AsyncDisposableStack,
  log: Logger,
): Promise<{ gateway: Connection; owner: Connection }> {
  if (config.database.kind === 'url')
    return { gateway: config.database.url, owner: config.database.ownerUrl };
  const { connection } = parts.use(await (embedded ?? startEmbedded(config.dataDir, { log })));
  return { gateway: connection, owner: connection };
}

/** Whether the owner has a URL of their own, which is then the one to be told of. */
const isOwnerNamed = ({ database }: Config): boolean =>
  database.kind === 'url' && database.ownerUrl !== database.url;

/** @returns its origin */
async function listen(server: Server, { host, port }: Pick<Config, 'host' | 'port'>): Promise<string> {
  server.listen(port, host);
  await once(server, 'listening');
  const { address, port: taken, family } = server.address() as AddressInfo;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${taken}`;
}

/**
 * Health and metrics of a process that serves no requests. Mail goes out whether or not anybody can watch it:
 * a second worker of a machine needs a WORKER_PORT of its own.
 * @returns its origin; undefined: the usual port was taken
 */
async function startMonitor(watched: Watched, parts: AsyncDisposableStack): Promise<string | undefined> {
  const { config, log } = watched;
  const { host, workerPort: port = usualWorkerPort } = config;
  const server = createHttpServer(monitoringOf(watched), { log });
  try {
    const url = await listen(server, { host, port });
    parts.defer(drainable(server));
    return url;
  } catch (error) {
    if (config.workerPort !== undefined)
      throw new ConfigError(`WORKER_PORT: ${(error as Error).message}`, { cause: error });
    log.warn(`port ${port} is taken, and WORKER_PORT is not set: this process has no health and no metrics`);
    return undefined;
  }
}

const basicAuthorization = ({ login, password }: { login: string; password: string }): string =>
  `Basic ${Buffer.from(`${login}:${password}`).toString('base64')}`;
