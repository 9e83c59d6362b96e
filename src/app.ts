import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { and, eq, isNotNull, isNull } from 'drizzle-orm';
import { type Authenticator, createAuthenticator } from './auth/authenticate.ts';
import { prepareFindById } from './auth/viewer.ts';
import { type Config, ConfigError } from './config.ts';
import { type Connection, type Database, migrate, openDatabase } from './db/database.ts';
import { findDeskKey } from './db/desk-key.ts';
import { type Embedded, startEmbedded } from './db/embedded.ts';
import { attachments, mailboxes } from './db/tables.ts';
import { type DemoDesk, demoHashes, retireDemoAccounts, seedDemoDesk } from './demo.ts';
import { createEventHub } from './events/hub.ts';
import { createMultipartReader } from './graphql/multipart/request.ts';
import { createGraphqlServer, type GraphqlOptions } from './graphql/server.ts';
import type { OperationPlugin } from './graphql/yoga.ts';
import { answerText } from './http/answer.ts';
import { createBegin, originOf, remoteAddressOf } from './http/begin.ts';
import { createCors } from './http/cors.ts';
import { answerSource } from './http/delivery-source.ts';
import { createDownloads } from './http/downloads.ts';
import { drainable } from './http/drain.ts';
import { createExplorer } from './http/explorer.ts';
import { createHealth } from './http/health.ts';
import { createInboxPage } from './http/inbox-page.ts';
import { createMetrics } from './http/metrics.ts';
import { createHttpServer, type Handle, type Route } from './http/server.ts';
import type { Patience } from './http/stalled.ts';
import { createUploads } from './http/uploads/routes.ts';
import { createLog, type Logger } from './log.ts';
import { startInbox } from './mail/inbox.ts';
import { createWorker } from './mail/worker.ts';
import { Places } from './places.ts';
import { createLegacyDoor, refuseLegacy } from './rest/door.ts';
import { foldPath } from './rest/path.ts';
import { createScanner } from './scan/scanner.ts';
import { naming } from './start-error.ts';
import { createStoreCheck } from './storage/check-store.ts';
import { startCollecting } from './storage/collecting.ts';
import { createImageSniffer } from './storage/image-type.ts';
import { openCheckedStore } from './storage/open-store.ts';
import { rowsOf } from './tickets/appended-row.ts';
import { createAttachmentUrls } from './tickets/attachment-url.ts';
import type { Desk, DeskContext } from './tickets/desk.ts';
import { prepareJudge } from './tickets/judge-statement.ts';
import { createMessageWriter, type MessageWriterLimits, writerStatements } from './tickets/message-writer.ts';

export interface App extends AsyncDisposable {
  /** `http://127.0.0.1:4000`; undefined for a process that only sends mail. */
  readonly url: string | undefined;
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
  readonly writer?: MessageWriterLimits;
  /** When connections that do not move are cut. */
  readonly patience?: Patience;
  /** Run for every operation, behind the gateway's own. */
  readonly operationPlugins?: readonly OperationPlugin[];
}

/**
 * Joins the parts into one running gateway; disposing it drains: no request that has arrived is cut, and no mail is half sent.
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
  for (const warning of config.warnings) log.warn(warning);
  const now = overrides.now ?? (() => new Date());
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
  const demo = await prepareDemo(config, database, log);
  const blobs = await openCheckedStore(config.blobs, database.desk);
  const collecting = parts.use(startCollecting(database.desk, blobs, log));
  const inbox =
    config.smtp.kind === 'inbox' ? parts.use(await startInbox(database.desk, { log })) : undefined;
  const smtpUrl = inbox?.url ?? (config.smtp.kind === 'url' ? config.smtp.url : undefined);
  await assertSends(smtpUrl, database);
  if (config.roles.has('worker')) {
    parts
      .use(createWorker({ sql: database.mail, blobs, smtpUrl, mailboxKey: config.mailboxKey, now, log }))
      .start();
  }
  if (config.clamd !== undefined)
    parts.use(createScanner({ sql: database.raw, blobs, clamd: config.clamd, log })).start();
  else await warnOfUnscanned(database, log);
  const dispose = () => parts.disposeAsync();
  if (!config.roles.has('web')) return { url: undefined, demo, log, [Symbol.asyncDispose]: dispose };

  const sendsByDefault = smtpUrl !== undefined;
  const judge = prepareJudge(database.desk);
  const events = parts.use(createEventHub(database.listener, log));
  const desk: Desk = {
    database,
    blobs,
    writer: parts.use(
      createMessageWriter(database.writer, sendsByDefault, {
        // Half of what a statement may take, so that there is time for an answer.
        lockPatience: config.databaseTimeout * 500,
        ...overrides.writer,
      }),
    ),
    judge: (row) => judge.execute({ rows: rowsOf([row]), sendsByDefault }),
    events,
    watching: new Places('TOO_MANY_SUBSCRIPTIONS', config.limits.subscriptions),
    limits: config.limits,
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
      now,
      log,
    }),
  );
  let draining = false;
  const health = createHealth(
    { database: () => database.check(), blobs: createStoreCheck(blobs, log) },
    () => draining,
    { collection: () => collecting.why() === undefined },
  );
  const graphql = createGraphqlServer(graphqlOptions(config, log, overrides.operationPlugins));
  const hasInbox = inbox !== undefined;
  const doors = { config, desk, authenticator, now, log, demo, health, graphql, hasInbox };
  const server = createHttpServer(routesOf(doors), log, overrides.patience);
  const drain = drainable(server);
  await listen(server, config);
  parts.defer(async () => {
    draining = true;
    const drained = drain();
    // Streams have no end of their own to wait for: their watchers come back with their cursor.
    graphql.cutStreams();
    await events[Symbol.asyncDispose]();
    await drained;
  });
  const { address, port, family } = server.address() as AddressInfo;
  const url = `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
  return { url, demo, log, [Symbol.asyncDispose]: dispose };
}

interface Doors {
  readonly config: Config;
  readonly desk: Desk;
  readonly authenticator: Authenticator;
  readonly now: () => Date;
  readonly log: Logger;
  readonly demo: DemoDesk | undefined;
  readonly health: Handle;
  readonly graphql: ReturnType<typeof createGraphqlServer>;
  readonly hasInbox: boolean;
}

function graphqlOptions(
  { production, limits }: Config,
  log: Logger,
  plugins: readonly OperationPlugin[] = [],
): GraphqlOptions {
  const { requestBytes, answerBytes } = limits;
  const multipartBytes = 2 * limits.messageAttachmentsBytes + requestBytes;
  const readMultipart = createMultipartReader({
    ...{ requestBytes, files: 100, multipartBytes },
    openForms: limits.openForms,
  });
  return { log, production, answerBytes, plugins, requestBytes, readMultipart };
}

/** What answers which path. */
function routesOf(doors: Doors): Route[] {
  const { config, desk, authenticator, now, log, demo, health, graphql, hasInbox } = doors;
  const { limits, trustProxy } = config;
  const cors = createCors(config.corsOrigins);
  const { authenticate } = authenticator;
  const begin = createBegin({
    authenticator,
    log,
    now,
    trustProxy,
    publicUrl: config.publicUrl,
    blobs: desk.blobs,
    limits,
  });
  const contextOf = async (req: IncomingMessage, res: ServerResponse): Promise<DeskContext> => ({
    ...(await begin(req, res)),
    desk,
  });
  const metrics = createMetrics();
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
      graphql.execute(operation, variables as object, { ...context, desk }),
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
    { prefix: '/api', fold: foldPath, handle: legacy, refuse: refuseLegacy },
    { prefix: '/', exact: true, handle: home },
    { prefix: '/health', handle: health },
    { prefix: '/metrics', handle: metrics.handle },
    {
      prefix: '/graphql',
      exact: true,
      handle: cors(async (req, res, path) => {
        if (!(await explorer(req, res, path))) await graphql.handle(req, res, contextOf);
      }),
    },
    {
      prefix: '/explorer',
      async handle(req, res, path) {
        if (!(await explorer(req, res, path))) answerText(res, 404, 'Not found\n');
      },
    },
    {
      prefix: '/attachments',
      handle: cors(
        createDownloads({
          begin,
          desk,
          now,
          findReader: prepareFindById(desk.database.desk, new Set(['read'])),
          sniff: createImageSniffer(desk.blobs),
        }),
      ),
    },
    {
      prefix: '/uploads',
      handle: cors(createUploads({ contextOf, maxBytes: limits.attachmentBytes, log })),
    },
    {
      prefix: '/deliveries',
      handle: cors(async (req, res, path) =>
        answerSource(await contextOf(req, res), req, res, path.slice('/deliveries/'.length)),
      ),
    },
  ];
  const addressOf = (req: IncomingMessage) => remoteAddressOf(req, trustProxy);
  if (hasInbox)
    routes.push({
      prefix: '/inbox',
      handle: createInboxPage({ db: desk.database.desk, authenticate, addressOf }),
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

async function listen(server: Server, { host, port }: Config): Promise<void> {
  server.listen(port, host);
  await once(server, 'listening');
}

const basicAuthorization = ({ login, password }: { login: string; password: string }): string =>
  `Basic ${Buffer.from(`${login}:${password}`).toString('base64')}`;
