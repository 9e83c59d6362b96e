import type { Config } from '../../../config.ts';
import type { Login } from '../../../db/assert-suitable.ts';
import type { Connection, Inspected } from '../../../db/database.ts';
import { describeDatabaseUrl } from '../../../settings/database-url.ts';
import { type CheckResult, off, type SettingCheck } from './check.ts';

const applicationName = 'ticketwire-doctor';

/**
 * Yields the checks of the database: as its owner, as the gateway, and of its replicas. Run each before
 * taking the next one. Nothing is migrated. An embedded database is checked only if a gateway runs it; it is
 * not started.
 * @returns the gateway's connection, if its check did not fail and the tables are current; else undefined
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
  // Whether the tables are current. Undefined when the owner could not connect.
  let current: boolean | undefined;
  let usable = false;
  yield {
    name: ownerSetting,
    async run() {
      const { inspected, found } = await inspectOwner(owner, ownerSetting, config);
      current = inspected.tables !== 'older';
      // A login that is the gateway's as well is judged below, unless there are no tables yet.
      const isShown = database.kind === 'url' && (ownLogin || !current);
      return isShown ? judged(found, inspected.login) : found;
    },
  };
  if (current)
    yield {
      name: gatewaySetting,
      async run() {
        const found = await tryGateway(gateway, config);
        usable = true;
        return found;
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

const schemaIs = {
  older: 'the next start migrates the schema',
  same: 'schema is current',
  later: 'schema is of a later version',
};

async function inspectOwner(
  owner: Connection,
  setting: string,
  config: Config,
): Promise<{ inspected: Inspected; found: CheckResult }> {
  const { connectionsAtMost, inspect } = await import('../../../db/database.ts');
  const { namingSetting } = await import('../../../describe-start-error.ts');
  const inspected = await namingSetting(setting, () => inspect(owner));
  const { version, tables, maxConnections } = inspected;
  const most = connectionsAtMost({ poolSize: config.poolSize });
  const detail =
    `PostgreSQL ${version}, ${schemaIs[tables]}; ` +
    `a gateway uses up to ${most} of ${maxConnections} connections`;
  return { inspected, found: { result: most > maxConnections ? 'warning' : 'ok', detail } };
}

/** What is fine, unless the login could do more than a desk needs. */
const judged = (found: CheckResult, { login, isUnrestricted }: Login): CheckResult =>
  isUnrestricted
    ? {
        result: 'warning',
        detail:
          `${found.detail}; but ${login} is a superuser or has BYPASSRLS, which no row-level security ` +
          'binds: docs/OPERATIONS.md says which roles a desk needs',
      }
    : found;

const tooFew = (detail: string, { login, connections, limitedBy }: Login, most: number): CheckResult => ({
  result: 'warning',
  detail:
    `${detail}; but ${limitedBy} allows ${login} ${connections} connections, and a gateway uses up to ` +
    `${most}: raise that limit, or lower DATABASE_POOL`,
});

async function tryGateway(
  gateway: Connection,
  { poolSize, database: { kind } }: Config,
): Promise<CheckResult> {
  const { connectionsAtMost, openDatabase, checkLogin } = await import('../../../db/database.ts');
  const { shortageOfSessions } = await import('../../../db/assert-suitable.ts');
  const { namingSetting } = await import('../../../describe-start-error.ts');
  const most = connectionsAtMost({ poolSize });
  const shortage = await namingSetting('DATABASE_URL', () => shortageOfSessions(gateway, most));
  await using database = openDatabase(gateway, { poolSize, applicationName });
  await namingSetting('DATABASE_URL', () => database.checkAll()).catch((error) => {
    throw shortage === undefined ? error : new Error(`DATABASE_URL: ${shortage} (${error.message})`);
  });
  // A gateway that runs already may have the others.
  if (shortage !== undefined) return { result: 'warning', detail: shortage };
  const detail = 'connects as ticketwire_app; row-level security and grants are in place';
  const found = { result: 'ok', detail } as const;
  const login = await checkLogin(gateway);
  if (login.connections < most) return tooFew(detail, login, most);
  // The embedded server's only login is its superuser.
  return kind === 'url' ? judged(found, login) : found;
}

/** Signs in only. The full check needs the tables, which do not exist yet or are not current. */
async function trySignIn(gateway: Connection): Promise<CheckResult> {
  const { checkLogin } = await import('../../../db/database.ts');
  const { namingSetting } = await import('../../../describe-start-error.ts');
  const login = await namingSetting('DATABASE_URL', () => checkLogin(gateway));
  const detail = `signs in as ${login.login}, which may act as ticketwire_app`;
  return judged({ result: 'ok', detail }, login);
}

async function tryReplica(primary: string, url: string): Promise<string> {
  const { openDatabase } = await import('../../../db/database.ts');
  const { namingSetting } = await import('../../../describe-start-error.ts');
  await using database = openDatabase(primary, { poolSize: 2, applicationName, replicas: [url] });
  const failed = (_replica: unknown, error: unknown) => Promise.reject(error);
  await namingSetting('DATABASE_REPLICA_URLS', () => database.replicas!.check(failed));
  return `${describeDatabaseUrl(url)} is a replica of the database`;
}
