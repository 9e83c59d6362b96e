import { type Config, ConfigError, readConfig } from '../../config.ts';
import type { Connection } from '../../db/database.ts';
import type { Environment } from '../command.ts';

/** What a check found. */
export interface CheckResult {
  /** `off`: the setting is absent, so there was nothing to check. */
  readonly result: 'ok' | 'warning' | 'off' | 'failed';
  readonly detail: string;
}
/** The check of one setting. */
export interface SettingCheck {
  /** The setting that is checked, as the row is headed. */
  readonly name: string;
  /** Resolves to the result, or to the detail of a good one. Rejects when the check fails. */
  run(): Promise<string | CheckResult>;
}

const off = (detail: string): CheckResult => ({ result: 'off', detail });

/**
 * Yields one check for each setting that names a resource. If the settings are invalid, it yields one failed
 * check for each mistake instead. Modules are loaded when a check runs.
 */
export async function* checksOf(env: Environment): AsyncGenerator<SettingCheck> {
  let config: Config;
  try {
    config = readConfig(env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const line of error.message.split('\n')) yield settingCheck(line);
    return;
  }
  yield { name: 'settings', run: async () => warningsOf(config) };
  yield* databaseChecks(config);
  yield { name: 'BLOBS_URL', run: () => tryStore(config) };
  yield { name: 'SMTP_URL', run: () => tryMailServer(config) };
  yield { name: 'JWT_JWKS_URL', run: () => tryKeys(config) };
  yield { name: 'CLAMD_URL', run: () => tryScanner(config) };
}

const settingCheck = (line: string): SettingCheck => {
  const [, name = 'settings', wrong = line] = /^(\w+): (.*)$/.exec(line) ?? [];
  return { name, run: async () => ({ result: 'failed', detail: wrong }) };
};

const warningsOf = ({ warnings, production }: Config): CheckResult =>
  warnings.length > 0
    ? { result: 'warning', detail: warnings.join('; ') }
    : {
        result: 'ok',
        detail: production ? 'valid' : 'valid; embedded database, not for production',
      };

async function* databaseChecks(config: Config): AsyncGenerator<SettingCheck> {
  const { database } = config;
  const connections = await connectionsOf(config);
  if (connections === undefined) {
    const detail = `no embedded database is running in ${config.dataDir}: npm start creates and starts it`;
    yield { name: 'DATA_DIR', run: async () => off(detail) };
    return;
  }
  const named = database.kind === 'url' && database.ownerUrl !== database.url;
  const isUrl = database.kind === 'url';
  let current = false;
  yield {
    name: named ? 'DATABASE_OWNER_URL' : isUrl ? 'DATABASE_URL' : 'DATA_DIR',
    async run() {
      const found = await inspectOwner(connections.owner, config);
      current = found.current;
      return found;
    },
  };
  if (!current) return;
  yield { name: isUrl ? 'DATABASE_URL' : 'DATA_DIR', run: () => trySight(connections.gateway) };
  if (database.kind === 'url')
    for (const url of database.replicaUrls)
      yield { name: 'DATABASE_REPLICA_URLS', run: () => tryReplica(database.url, url) };
  yield { name: 'mailboxes', run: () => tryMailboxes(connections.gateway, config) };
  yield { name: 'outbox', run: () => checkOutbox(connections.gateway) };
}

async function connectionsOf({ database, dataDir }: Config) {
  if (database.kind === 'url')
    return { owner: database.ownerUrl as Connection, gateway: database.url as Connection };
  const { attachEmbedded } = await import('../../dev/embedded-postgres/start-postgres.ts');
  const connection = await attachEmbedded(dataDir);
  return connection === undefined ? undefined : { owner: connection, gateway: connection };
}

async function inspectOwner(owner: Connection, config: Config): Promise<CheckResult & { current: boolean }> {
  const { connectionsAtMost, inspect } = await import('../../db/database.ts');
  const { naming } = await import('../../start-error.ts');
  const { version, current, maxConnections } = await naming('DATABASE_URL', () => inspect(owner));
  const most = connectionsAtMost({ poolSize: config.poolSize });
  const tables = current ? 'schema is current' : 'the next start migrates the schema';
  const detail =
    `PostgreSQL ${version}, ${tables}; ` + `a gateway uses up to ${most} of ${maxConnections} connections`;
  return { current, result: most > maxConnections ? 'warning' : 'ok', detail };
}

async function trySight(gateway: Connection): Promise<string> {
  const { openDatabase } = await import('../../db/database.ts');
  const { naming } = await import('../../start-error.ts');
  await using database = openDatabase(gateway, { poolSize: 2, applicationName: 'ticketwire-doctor' });
  await naming('DATABASE_URL', () => database.checkAll());
  return 'connects as ticketwire_app; row-level security and grants are in place';
}

async function tryReplica(primary: string, url: string): Promise<string> {
  const { openDatabase } = await import('../../db/database.ts');
  const { naming } = await import('../../start-error.ts');
  const options = { poolSize: 2, applicationName: 'ticketwire-doctor', replicas: [url] };
  await using database = openDatabase(primary, options);
  const failed = (_replica: unknown, error: unknown) => Promise.reject(error);
  await naming('DATABASE_REPLICA_URLS', () => database.replicas!.check(failed));
  return `${new URL(url).host} is a replica of the database`;
}

async function tryStore({ blobs }: Config): Promise<string> {
  const { describePlace } = await import('../../settings/blobs-url.ts');
  const { openStore } = await import('../../storage/open-store.ts');
  const store = await openStore(blobs);
  await store.check();
  return `${describePlace(blobs)}: a file was stored, read and deleted`;
}

async function tryMailServer({ smtp }: Config): Promise<string | CheckResult> {
  if (smtp.kind === 'inbox') return 'the development inbox of the gateway';
  if (smtp.kind === 'none') return off('each mailbox has its own server');
  const { parseSmtpUrl } = await import('../../mail/smtp/server-settings.ts');
  const { greet } = await import('../../mail/smtp/test-mailbox.ts');
  const server = parseSmtpUrl(smtp.url);
  const session = await greet(server);
  session.quit();
  const signedIn = server.user === undefined ? '' : `, signed in as ${server.user}`;
  return `${server.host}:${server.port} answers${signedIn}`;
}

/** Connects to the servers of mailboxes that have their own, one after the other. */
async function tryMailboxes(gateway: Connection, { mailboxKey }: Config): Promise<string | CheckResult> {
  const { openDatabase } = await import('../../db/database.ts');
  const { serverOf } = await import('../../mail/smtp/mailbox-pools.ts');
  const { greet } = await import('../../mail/smtp/test-mailbox.ts');
  await using database = openDatabase(gateway, { poolSize: 2, applicationName: 'ticketwire-doctor' });
  const own = await database.raw<{ address: string; smtpUrl: string; smtpPassword: Buffer | null }[]>`
    select address, smtp_url as "smtpUrl", smtp_password as "smtpPassword" from mailboxes
    where smtp_url is not null and disabled_at is null order by address`;
  const wrong: string[] = [];
  for (const mailbox of own) {
    try {
      const session = await greet(
        serverOf({ ...mailbox, disabled: false }, { smtpUrl: undefined, mailboxKey }),
      );
      session.quit();
    } catch (error) {
      wrong.push(`${mailbox.address}: ${(error as Error).message}`);
    }
  }
  if (wrong.length > 0) return { result: 'failed', detail: wrong.join('; ') };
  return own.length === 0 ? off('all use SMTP_URL') : `${own.length} servers answer`;
}

async function checkOutbox(gateway: Connection): Promise<string | CheckResult> {
  const { openDatabase } = await import('../../db/database.ts');
  const { whyHeld } = await import('../../mail/outbox/home-database.ts');
  await using database = openDatabase(gateway, { poolSize: 2, applicationName: 'ticketwire-doctor' });
  const why = await whyHeld(database.raw);
  return why === undefined ? 'mails are sent' : { result: 'warning', detail: `the outbox is held: ${why}` };
}

async function tryKeys({ jwt }: Config): Promise<string | CheckResult> {
  if (jwt === undefined) return off('JWTs are not accepted');
  const response = await fetch(jwt.jwksUrl, { signal: AbortSignal.timeout(5000) });
  if (!response.ok) throw new Error(`${jwt.jwksUrl} answers ${response.status}`);
  const { keys } = (await response.json()) as { keys?: unknown };
  if (!Array.isArray(keys) || keys.length === 0) throw new Error(`${jwt.jwksUrl} has no keys`);
  return `${keys.length} keys`;
}

async function tryScanner({ clamd }: Config): Promise<string | CheckResult> {
  if (clamd === undefined) return off('files are not scanned');
  const { pingScanner } = await import('../../scan/clamd.ts');
  await pingScanner(clamd);
  return 'clamd answers';
}
