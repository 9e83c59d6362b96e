import type { Config } from '../config.ts';
import { findLogin, shortageOfSessions, Unsuitable } from '../db/assert-suitable.ts';
import { type Connection, connectionsAtMost, type Database, migrate, openDatabase } from '../db/database.ts';
import { namingSetting, ownerSettingOf } from '../describe-start-error.ts';
import { startEmbedded } from '../dev/embedded-postgres/start-postgres.ts';
import { asUnavailable, errorCodeOf, isRejectedLogin } from '../platform/database-faults.ts';
import { Unavailable } from '../platform/errors.ts';
import type { Logger } from '../platform/log.ts';
import { writerStatements } from '../tickets/add-message/commit/group-limits.ts';
import type { Overrides } from './overrides.ts';

/**
 * Starts the embedded PostgreSQL if no URL is configured, migrates the database as its owner, opens the pools
 * of the gateway, and checks the database and its replicas. Logs a warning when the migration has to wait for
 * somebody, when the server, the database or the login allows too few connections, when a replica does not
 * answer, and when the login of DATABASE_URL can bypass row-level security.
 * @param parts receives the pools and the embedded server
 * @throws ConfigError, which names the setting, when the database does not answer, or a URL or the database
 *   or replica that it leads to has to be changed; EmbeddedInUse or EmbeddedUnavailable; any other error
 *   unchanged
 */
export async function startDatabase(
  config: Config,
  overrides: Overrides,
  parts: AsyncDisposableStack,
  log: Logger,
): Promise<Database> {
  const { gateway, owner } = overrides.connections ?? (await connect(config, overrides, parts, log));
  await namingSetting(ownerSettingOf(config), () =>
    migrate(owner, (blocker) => log.warn(`startup is waiting for ${blocker}`)),
  );
  const database = parts.use(
    openDatabase(gateway, {
      poolSize: config.poolSize,
      writerConnections: writerStatements(overrides.writer),
      answerWithinMs: config.databaseTimeout * 1000,
      replicas: config.database.kind === 'url' ? config.database.replicaUrls : [],
    }),
  );
  await namingSetting('DATABASE_URL', async () => {
    const shortage = await shortageOfSessions(gateway, connectionsAtMost({ poolSize: config.poolSize }));
    if (shortage !== undefined) throw new Unsuitable(shortage);
    await database.checkAll();
  });
  await assertReplicas(database, log);
  await warnOfConnections(config, database, log);
  if (overrides.connections === undefined) await warnOfLogin(config, database, log);
  return database;
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

/**
 * Checks the replicas. One that does not answer may do so later, and is logged.
 * @throws ConfigError when one must not be read from
 */
async function assertReplicas({ replicas }: Database, log: Logger): Promise<void> {
  const errors: unknown[] = [];
  await replicas?.check(({ name }, error) => {
    if (asUnavailable(error) instanceof Unavailable && !isRejectedLogin(error))
      log.warn(
        { replica: name, code: errorCodeOf(error) },
        'DATABASE_REPLICA_URLS: a replica does not answer',
      );
    else errors.push(error);
  });
  if (errors.length > 0) await namingSetting('DATABASE_REPLICA_URLS', () => Promise.reject(errors[0]));
}

/** Warns of a login that can bypass row-level security, which would then enforce nothing. */
async function warnOfLogin({ database }: Config, { raw }: Database, log: Logger): Promise<void> {
  if (database.kind === 'url' && (await findLogin(raw)).isUnrestricted)
    log.warn(
      'DATABASE_URL: the login is a superuser or has BYPASSRLS; ' +
        'docs/OPERATIONS.md says which roles a desk needs',
    );
}

/** Who runs out of connections has some of the gateway's rejected at the busiest hour. */
async function warnOfConnections(
  { poolSize, database: { kind } }: Config,
  { raw }: Database,
  log: Logger,
): Promise<void> {
  const { connections: allowed, limitedBy } = await findLogin(raw);
  const most = connectionsAtMost({ poolSize });
  const facts = { connections: most, allowed };
  if (most > allowed)
    log.warn(facts, `DATABASE_POOL: this process may open more connections than ${limitedBy} allows`);
  else if (kind === 'url') log.info(facts, 'maximum database connections of this process');
}
