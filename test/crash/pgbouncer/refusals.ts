import { createApp } from '../../../src/app.ts';
import { readConfig } from '../../../src/config.ts';
import { inspect, migrate } from '../../../src/db/database.ts';
import { createLog } from '../../../src/platform/log.ts';
import { cli, createProductionDesk, type ProductionDesk } from '../support/production-desk.ts';
import { check, tell } from '../support/verdict.ts';
import { type Lines, startPooler } from './pooler.ts';

const limits =
  /^ConfigError: DATABASE_URL: the pooler gives this process \d+ of the 25 sessions .*default_pool_size/;

/** What a start says with these lines instead of the documented ones. */
const wrong: Readonly<Record<string, { lines: Lines; says: RegExp }>> = {
  'as documented': { lines: {}, says: /^started$/ },
  'no reset between clients': { lines: { server_reset_query: '' }, says: /^started$/ },
  'sessions in turn': { lines: { server_round_robin: '1' }, says: /^started$/ },
  'parameters ignored': { lines: { ignore_startup_parameters: 'role, search_path' }, says: /^started$/ },
  ...Object.fromEntries(
    [
      { pool_mode: 'transaction' },
      { pool_mode: 'transaction', server_round_robin: '1' },
      { pool_mode: 'transaction', server_reset_query_always: '1' },
      { pool_mode: 'statement' },
    ].map((lines) => [
      JSON.stringify(lines),
      { lines, says: /^ConfigError: DATABASE_URL: .*set pool_mode = session in pgbouncer.ini/ },
    ]),
  ),
  'a pool that is too small': { lines: { default_pool_size: '10' }, says: limits },
  'a pool of one session': { lines: { default_pool_size: '1' }, says: limits },
  'too few clients': { lines: { max_client_conn: '12' }, says: limits },
  'too few sessions of the database': { lines: { max_db_connections: '20' }, says: limits },
  'no simple queries': {
    lines: { disable_pqexec: '1' },
    says: /^ConfigError: DATABASE_URL: the pooler .* refuses .*docs\/OPERATIONS.md/,
  },
};

const askedOfDoctor: Readonly<Record<string, RegExp>> = {
  'as documented': /ok .*row-level security/,
  'a pool that is too small': /warning .*gives this process 10 of the 25 sessions/,
  'a pool of one session': /(?:warning|failed) .*gives this process 1 of the 25 sessions/,
};

/** Starts behind each of them, and migrates through PgBouncer. */
export async function tryWrongSettings(directory: string): Promise<void> {
  await using desk = await createProductionDesk(directory, 'smtp://127.0.0.1:9');
  for (const [name, { lines, says }] of Object.entries(wrong)) {
    await using pooler = await startPooler({ directory, server: desk.env.DATABASE_URL!, lines });
    const said = await startWith({ ...desk.env, DATABASE_URL: pooler.url });
    tell(`     ${name}: ${said}`);
    check(`${name} is told`, says.test(said), true);
    const asked = askedOfDoctor[name];
    if (asked !== undefined) await askDoctor(desk, pooler.url, asked);
  }
  for (const mode of ['session', 'transaction']) await migrateThrough(desk, directory, mode);
}

async function startWith(env: Record<string, string>): Promise<string> {
  const config = readConfig({ ...env, PORT: '0', DATABASE_POOL: '3', LOG_LEVEL: 'silent' });
  try {
    await using _app = await createApp(config, { log: createLog('silent') });
    return 'started';
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`;
  }
}

async function askDoctor({ env }: ProductionDesk, url: string, wanted: RegExp): Promise<void> {
  const asked = { ...env, DATABASE_URL: url, DATABASE_POOL: '3', SMTP_URL: 'inbox:' };
  const output = await cli(asked, ['doctor']).catch(String);
  const line = `${output.split('\n').find((each) => each.startsWith('DATABASE_URL '))}`;
  tell(`     ${line}`);
  check('doctor says the same', wanted.test(line), true);
}

/** Three starts migrate at once, and leave no lock behind. */
async function migrateThrough(desk: ProductionDesk, directory: string, mode: string): Promise<void> {
  const name = `migrated_in_${mode}_mode`;
  const admin = await import('postgres').then(({ default: open }) => open(desk.server.url, { max: 1 }));
  await admin`create database ${admin(name)} owner desk_owner`;
  const direct = desk.server.urlOf('desk_owner', 'owner-password', name);
  await using pooler = await startPooler({ directory, server: direct, lines: { pool_mode: mode } });
  const migrated = await Promise.all([1, 2, 3].map(() => migrate(pooler.url).then(() => 'migrated', String)));
  check(`three migrations at once, ${mode} mode`, migrated, ['migrated', 'migrated', 'migrated']);
  const locks = await admin`select from pg_locks where locktype = 'advisory'`;
  check('locks left behind, tables', [locks.length, (await inspect(direct)).tables], [0, 'same']);
  await admin.end({ timeout: 5 });
}
