import { type Config, ConfigError, readConfig } from '../../config.ts';
import type { Connection } from '../../db/database.ts';
import type { Environment } from '../command.ts';

export interface Found {
  readonly result: 'ok' | 'warning' | 'off' | 'failed';
  readonly detail: string;
}
export interface Check {
  /** The setting that it is about. */
  readonly name: string;
  /** Resolves to what was found; rejects with what is wrong. */
  run(): Promise<string | Found>;
}

const off = (detail: string): Found => ({ result: 'off', detail });

/** One check for each setting that leads somewhere; what a check needs is loaded when it is its turn. */
export async function* checksOf(env: Environment): AsyncGenerator<Check> {
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

const settingCheck = (line: string): Check => {
  const [, name = 'settings', wrong = line] = /^(\w+): (.*)$/.exec(line) ?? [];
  return { name, run: async () => ({ result: 'failed', detail: wrong }) };
};

const warningsOf = ({ warnings, production }: Config): Found =>
  warnings.length > 0
    ? { result: 'warning', detail: warnings.join('; ') }
    : {
        result: 'ok',
        detail: production ? 'all can be read' : 'all can be read; an embedded desk, not production',
      };

async function* databaseChecks(config: Config): AsyncGenerator<Check> {
  const { database } = config;
  const connections = await connectionsOf(config);
  if (connections === undefined) {
    const detail = `no embedded database runs in ${config.dataDir}: npm start makes and starts it`;
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
  yield { name: 'mailboxes', run: () => tryMailboxes(connections.gateway, config) };
  yield { name: 'outbox', run: () => lookAtOutbox(connections.gateway) };
}

async function connectionsOf({ database, dataDir }: Config) {
  if (database.kind === 'url')
    return { owner: database.ownerUrl as Connection, gateway: database.url as Connection };
  const { attachEmbedded } = await import('../../dev/embedded-postgres/embedded.ts');
  const connection = await attachEmbedded(dataDir);
  return connection === undefined ? undefined : { owner: connection, gateway: connection };
}

async function inspectOwner(owner: Connection, config: Config): Promise<Found & { current: boolean }> {
  const { connectionsAtMost, inspect } = await import('../../db/database.ts');
  const { naming } = await import('../../start-error.ts');
  const { version, current, maxConnections } = await naming('DATABASE_URL', () => inspect(owner));
  const most = connectionsAtMost({ poolSize: config.poolSize });
  const tables = current ? 'tables are this version’s' : 'the next start makes or changes its tables';
  const detail = `PostgreSQL ${version}, ${tables}; a gateway has ${most} of ${maxConnections} connections at most`;
  return { current, result: most > maxConnections ? 'warning' : 'ok', detail };
}

async function trySight(gateway: Connection): Promise<string> {
  const { openDatabase } = await import('../../db/database.ts');
  const { naming } = await import('../../start-error.ts');
  await using database = openDatabase(gateway, { poolSize: 2, applicationName: 'ticketwire-doctor' });
  await naming('DATABASE_URL', () => database.checkAll());
  return 'works as ticketwire_app, behind row-level security, and sees what it should';
}

async function tryStore({ blobs }: Config): Promise<string> {
  const { describePlace } = await import('../../settings/blobs-url.ts');
  const { openStore } = await import('../../storage/open-store.ts');
  const store = await openStore(blobs);
  await store.check();
  return `${describePlace(blobs)}: a file was kept, read and removed`;
}

async function tryMailServer({ smtp }: Config): Promise<string | Found> {
  if (smtp.kind === 'inbox') return 'the development inbox of the gateway';
  if (smtp.kind === 'none') return off('each mailbox has its own');
  const { smtpServer } = await import('../../mail/smtp/transport.ts');
  const { greet } = await import('../../mail/smtp/greet.ts');
  const server = smtpServer(smtp.url);
  const session = await greet(server);
  session.quit();
  return `${server.host}:${server.port} answers${server.user === undefined ? '' : `, signed in as ${server.user}`}`;
}

/** Those with a server of their own, one after the other; the others go by SMTP_URL. */
async function tryMailboxes(gateway: Connection, { mailboxKey }: Config): Promise<string | Found> {
  const { openDatabase } = await import('../../db/database.ts');
  const { serverOf } = await import('../../mail/smtp/transport.ts');
  const { greet } = await import('../../mail/smtp/greet.ts');
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
  return own.length === 0 ? off('none has a server of its own') : `${own.length} servers answer`;
}

async function lookAtOutbox(gateway: Connection): Promise<string | Found> {
  const { openDatabase } = await import('../../db/database.ts');
  const { whyHeld } = await import('../../mail/outbox/home.ts');
  await using database = openDatabase(gateway, { poolSize: 2, applicationName: 'ticketwire-doctor' });
  const why = await whyHeld(database.raw);
  return why === undefined ? 'mails are sent' : { result: 'warning', detail: `no mail is sent: ${why}` };
}

async function tryKeys({ jwt }: Config): Promise<string | Found> {
  if (jwt === undefined) return off('no JWT is taken');
  const response = await fetch(jwt.jwksUrl, { signal: AbortSignal.timeout(5000) });
  if (!response.ok) throw new Error(`${jwt.jwksUrl} answers ${response.status}`);
  const { keys } = (await response.json()) as { keys?: unknown };
  if (!Array.isArray(keys) || keys.length === 0) throw new Error(`${jwt.jwksUrl} has no keys`);
  return `${keys.length} keys`;
}

async function tryScanner({ clamd }: Config): Promise<string | Found> {
  if (clamd === undefined) return off('files are not scanned');
  const { pingScanner } = await import('../../scan/clamd.ts');
  await pingScanner(clamd);
  return 'clamd answers';
}
