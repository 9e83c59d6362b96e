import type { Config } from '../../../config.ts';
import type { Connection } from '../../../db/database.ts';
import { describeDatabaseUrl } from '../../../settings/database-url.ts';
import { type CheckResult, off, type SettingCheck } from './check.ts';

const applicationName = 'ticketwire-doctor';

/**
 * Yields the checks of the database: as its owner, as the gateway, and of its replicas.
 * @returns the gateway's connection, if it may be used and the tables are current
 */
export async function* databaseChecks(config: Config): AsyncGenerator<SettingCheck, Connection | undefined> {
  const { database } = config;
  const connections = await connectionsOf(config);
  if (connections === undefined) {
    const detail = `no embedded database is running in ${config.dataDir}: npm start creates and starts it`;
    yield { name: 'DATA_DIR', run: async () => off(detail) };
    return undefined;
  }
  const { owner, gateway } = connections;
  const ownLogin = database.kind === 'url' && database.ownerUrl !== database.url;
  const gatewaySetting = database.kind === 'url' ? 'DATABASE_URL' : 'DATA_DIR';
  const ownerSetting = ownLogin ? 'DATABASE_OWNER_URL' : gatewaySetting;
  // Undefined: the owner could not tell.
  let current: boolean | undefined;
  let usable = false;
  yield {
    name: ownerSetting,
    async run() {
      const found = await inspectOwner(owner, ownerSetting, config);
      current = found.current;
      return found;
    },
  };
  if (current)
    yield {
      name: gatewaySetting,
      async run() {
        const detail = await trySight(gateway);
        usable = true;
        return detail;
      },
    };
  else if (ownLogin) yield { name: gatewaySetting, run: () => trySignIn(gateway) };
  if (current && database.kind === 'url')
    for (const url of database.replicaUrls)
      yield { name: 'DATABASE_REPLICA_URLS', run: () => tryReplica(database.url, url) };
  return usable ? gateway : undefined;
}

async function connectionsOf({ database, dataDir }: Config) {
  if (database.kind === 'url')
    return { owner: database.ownerUrl as Connection, gateway: database.url as Connection };
  const { attachEmbedded } = await import('../../../dev/embedded-postgres/start-postgres.ts');
  const connection = await attachEmbedded(dataDir);
  return connection === undefined ? undefined : { owner: connection, gateway: connection };
}

async function inspectOwner(
  owner: Connection,
  setting: string,
  config: Config,
): Promise<CheckResult & { current: boolean }> {
  const { connectionsAtMost, inspect } = await import('../../../db/database.ts');
  const { naming } = await import('../../../start-error.ts');
  const { version, current, maxConnections } = await naming(setting, () => inspect(owner));
  const most = connectionsAtMost({ poolSize: config.poolSize });
  const tables = current ? 'schema is current' : 'the next start migrates the schema';
  const detail =
    `PostgreSQL ${version}, ${tables}; ` + `a gateway uses up to ${most} of ${maxConnections} connections`;
  return { current, result: most > maxConnections ? 'warning' : 'ok', detail };
}

async function trySight(gateway: Connection): Promise<string> {
  const { openDatabase } = await import('../../../db/database.ts');
  const { naming } = await import('../../../start-error.ts');
  await using database = openDatabase(gateway, { poolSize: 2, applicationName });
  await naming('DATABASE_URL', () => database.checkAll());
  return 'connects as ticketwire_app; row-level security and grants are in place';
}

/** Signs in where there are no tables yet, whose grants `trySight` looks at. */
async function trySignIn(gateway: Connection): Promise<string> {
  const { signIn } = await import('../../../db/database.ts');
  const { naming } = await import('../../../start-error.ts');
  const login = await naming('DATABASE_URL', () => signIn(gateway));
  return `signs in as ${login}, which may act as ticketwire_app`;
}

async function tryReplica(primary: string, url: string): Promise<string> {
  const { openDatabase } = await import('../../../db/database.ts');
  const { naming } = await import('../../../start-error.ts');
  await using database = openDatabase(primary, { poolSize: 2, applicationName, replicas: [url] });
  const failed = (_replica: unknown, error: unknown) => Promise.reject(error);
  await naming('DATABASE_REPLICA_URLS', () => database.replicas!.check(failed));
  return `${describeDatabaseUrl(url)} is a replica of the database`;
}
