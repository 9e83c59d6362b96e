import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAuthenticator } from './auth/authenticate.ts';
import type { Config } from './config.ts';
import { type Connection, migrate, openDatabase } from './db/database.ts';
import { startEmbedded } from './db/embedded.ts';
import { type DemoDesk, seedDemoDesk } from './demo.ts';
import { executeStored } from './graphql/execute.ts';
import { createGraphqlServer } from './graphql/server.ts';
import { createBegin, originOf } from './http/begin.ts';
import { answerDownload } from './http/download.ts';
import { createExplorer } from './http/explorer.ts';
import { createHealth } from './http/health.ts';
import { createInboxPage } from './http/inbox-page.ts';
import { createMetrics } from './http/metrics.ts';
import { createHttpServer, type Route } from './http/server.ts';
import { createLog, type Logger } from './log.ts';
import { startInbox } from './mail/inbox.ts';
import { createWorker } from './mail/worker.ts';
import { createLegacyDoor } from './rest/door.ts';
import { startCollecting } from './storage/collecting.ts';
import { createDiskStore } from './storage/disk-store.ts';
import { prepareJudge } from './tickets/append-statement.ts';
import type { Desk, DeskContext } from './tickets/desk.ts';
import { createMessageWriter } from './tickets/message-writer.ts';

export interface App extends AsyncDisposable {
  /** `http://127.0.0.1:4000`; undefined for a process that only sends mail. */
  readonly url: string | undefined;
  /** Credentials of the demo desk, when there is one. */
  readonly demo: DemoDesk | undefined;
  readonly log: Logger;
}

/** What a test may put in the place of the real thing. */
export interface Overrides {
  readonly now?: () => Date;
  readonly log?: Logger;
  /** In the place of the configured database. */
  readonly connections?: { readonly gateway: Connection; readonly owner: Connection };
}

/**
 * Joins the parts into one running gateway; disposing it drains: no request is cut and no mail is half sent.
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
  const now = overrides.now ?? (() => new Date());
  const { gateway, owner } = overrides.connections ?? (await connect(config, parts, log));
  await migrate(owner);
  const database = parts.use(openDatabase(gateway, { poolSize: config.poolSize }));
  const demo = config.demo ? await seedDemoDesk(database.desk) : undefined;
  const metrics = createMetrics();
  const blobs = createDiskStore(config.blobs.directory);
  parts.use(startCollecting(database.desk, blobs, log));

  const inbox =
    config.smtp.kind === 'inbox' ? parts.use(await startInbox(database.desk, { log })) : undefined;
  const smtpUrl = inbox?.url ?? (config.smtp.kind === 'url' ? config.smtp.url : undefined);
  const sendsByDefault = smtpUrl !== undefined;
  if (config.roles.has('worker')) {
    parts
      .use(createWorker({ sql: database.raw, blobs, smtpUrl, mailboxKey: config.mailboxKey, now, log }))
      .start();
  }
  if (!config.roles.has('web'))
    return { url: undefined, demo, log, [Symbol.asyncDispose]: () => parts.disposeAsync() };

  const authenticator = parts.use(createAuthenticator({ db: database.desk, jwt: config.jwt, now, log }));
  const writer = parts.use(createMessageWriter(database.desk, sendsByDefault));
  const judge = prepareJudge(database.desk);
  const desk: Desk = {
    database,
    blobs,
    writer,
    judge: (row) => judge.execute({ rows: JSON.stringify([{ n: 0, ...row }]), sendsByDefault }),
    limits: config.limits,
    sendsByDefault,
  };
  const begin = createBegin({ authenticator, log, now, trustProxy: config.trustProxy });
  let draining = false;
  const health = createHealth({ database: () => database.check() }, () => draining);
  const explorer = createExplorer({
    demoAuthorization: demo && basicAuthorization(demo.operator),
    inboxPath: inbox && '/inbox',
  });
  const graphql = createGraphqlServer({
    log,
    production: config.production,
    requestBytes: config.limits.requestBytes,
    files: 100,
    multipartBytes: 2 * config.limits.messageAttachmentsBytes + config.limits.requestBytes,
  });
  const legacy = createLegacyDoor({
    begin,
    originOf: (req) => originOf(req, config.trustProxy),
    execute: (operation, variables, context) =>
      executeStored(operation, variables as object, { ...context, desk }),
    limits: { maxBodyBytes: config.limits.legacyRequestBytes },
    count: metrics.countLegacy,
    fault: (error) => log.error({ err: error }, 'fault'),
  });

  const routes: Route[] = [
    { prefix: '/health', handle: health },
    { prefix: '/metrics', handle: metrics.handle },
    { prefix: '/api', ignoreCase: true, handle: legacy },
    {
      prefix: '/graphql',
      async handle(req, res, path) {
        if (await explorer(req, res, path)) return;
        const ctx: DeskContext = { ...(await begin(req)), desk };
        await graphql(req, res, ctx);
      },
    },
    { prefix: '/explorer', handle: async (req, res, path) => void (await explorer(req, res, path)) },
    {
      prefix: '/attachments',
      async handle(req, res, path) {
        const ctx: DeskContext = { ...(await begin(req)), desk };
        await answerDownload(ctx, req, res, decodeURIComponent(path.slice('/attachments/'.length)));
      },
    },
    ...(inbox === undefined
      ? []
      : [
          {
            prefix: '/inbox',
            handle: createInboxPage({ db: database.desk, authenticate: authenticator.authenticate }),
          },
        ]),
  ];
  const server = createHttpServer(routes, log);
  await listen(server, config);
  parts.defer(async () => {
    draining = true;
    await close(server);
  });
  const { address, port, family } = server.address() as AddressInfo;
  const url = `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
  return { url, demo, log, [Symbol.asyncDispose]: () => parts.disposeAsync() };
}

async function connect(
  config: Config,
  parts: AsyncDisposableStack,
  log: Logger,
): Promise<{ gateway: Connection; owner: Connection }> {
  if (config.database.kind === 'url')
    return { gateway: config.database.url, owner: config.database.ownerUrl };
  const { connection } = parts.use(await startEmbedded(config.dataDir, { log }));
  return { gateway: connection, owner: connection };
}

async function listen(server: Server, { host, port }: Config): Promise<void> {
  server.listen(port, host);
  await once(server, 'listening');
}

/** Takes no new request, ends the idle connections and waits for the others. */
async function close(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  await closed;
}

const basicAuthorization = ({ login, password }: { login: string; password: string }): string =>
  `Basic ${Buffer.from(`${login}:${password}`).toString('base64')}`;
