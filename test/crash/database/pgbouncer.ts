/*
 * Ticketwire behind Debian's PgBouncer, in session and in transaction mode, by its defaults and with our
 * parameters ignored. Migrations pass and leave no lock behind; a gateway is refused at its start, in words
 * that say what to change, as a pooler loses who asks: a requester's read could be done on a connection that
 * sees everything. Exits 1 otherwise. Needs pgbouncer.
 *
 *   npm run test:pgbouncer
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import { createApp } from '../../../src/app.ts';
import { readConfig } from '../../../src/config.ts';
import { inspect, migrate } from '../../../src/db/database.ts';
import { createLog } from '../../../src/platform/log.ts';
import { freePort } from '../../support/servers/free-port.ts';
import { startPostgres } from '../support/postgres-server.ts';

let failed = 0;
function judge(what: string, found: string, wanted: RegExp): void {
  const ok = wanted.test(found);
  if (!ok) failed += 1;
  process.stdout.write(`${ok ? 'ok  ' : 'FAIL'} ${what}: ${found}\n`);
}

/** What a gateway names at its start that PgBouncer does not know. */
const ours = [
  ...[
    'role',
    'ticketwire.viewer_role',
    'search_path',
    'statement_timeout',
    'lock_timeout',
    'jit',
    'plan_cache_mode',
  ],
  ...[
    'idle_in_transaction_session_timeout',
    'tcp_keepalives_idle',
    'tcp_keepalives_interval',
    'tcp_keepalives_count',
  ],
  ...['tcp_user_timeout', 'extra_float_digits', 'bytea_output', 'default_transaction_isolation'],
  ...['array_nulls', 'transform_null_equals'],
].join(',');

interface Pooler extends AsyncDisposable {
  readonly url: string;
}

async function startPooler(
  directory: string,
  server: string,
  mode: string,
  ignored: string,
): Promise<Pooler> {
  const port = await freePort();
  const { hostname, port: serverPort, username, password } = new URL(server);
  const users = join(directory, 'users.txt');
  const file = join(directory, `${mode}-${port}.ini`);
  await writeFile(users, `"${username}" "${password}"\n`, { mode: 0o644 });
  await writeFile(
    file,
    [
      '[databases]',
      `* = host=${hostname} port=${serverPort}`,
      '[pgbouncer]',
      ...['listen_addr = 127.0.0.1', `listen_port = ${port}`, 'unix_socket_dir =', `auth_file = ${users}`],
      ...[
        'auth_type = plain',
        `pool_mode = ${mode}`,
        'default_pool_size = 5',
        `ignore_startup_parameters = ${ignored}`,
      ],
    ].join('\n'),
    { mode: 0o644 },
  );
  const root = process.getuid?.() === 0 ? ['-u', 'nobody'] : [];
  const child = spawn('pgbouncer', [...root, '-q', file], { stdio: 'ignore' });
  const url = `postgres://${username}:${password}@127.0.0.1:${port}/desk`;
  await untilAnswered(url, () => child.exitCode);
  return {
    url,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      if (child.exitCode === null) await once(child, 'exit');
    },
  };
}

async function untilAnswered(url: string, exitCode: () => number | null): Promise<void> {
  for (const deadline = Date.now() + 20_000; ; await sleep(50)) {
    const sql = postgres(url, { max: 1, onnotice: () => {}, connect_timeout: 2 });
    try {
      await sql`select 1`;
      return;
    } catch (error) {
      if (Date.now() > deadline || exitCode() !== null) throw error;
    } finally {
      await sql.end({ timeout: 1 });
    }
  }
}

/** What a start says, within its bound of 30 s. */
async function startWith(url: string, owner: string, blobs: string): Promise<string> {
  const config = readConfig({
    ...{ PORT: '0', DATABASE_URL: url, DATABASE_OWNER_URL: owner, SMTP_URL: 'smtp://127.0.0.1:9' },
    ...{ BLOBS_URL: `file://${blobs}`, LOG_LEVEL: 'silent' },
  });
  const started = createApp(config, { log: createLog('silent') }).then(
    async (app) => {
      await app[Symbol.asyncDispose]();
      return 'started';
    },
    (error: Error) => `${error.name}: ${error.message}`,
  );
  return Promise.race([started, sleep(30_000, 'still waiting after 30 s', { ref: false })]);
}

const directory = await mkdtemp(join(tmpdir(), 'ticketwire-pgbouncer-'));
await chmod(directory, 0o755);
try {
  await using server = await startPostgres(directory);
  const admin = postgres(server.url, { max: 1, onnotice: () => {} });
  for (const mode of ['session', 'transaction', 'statement']) {
    await admin`drop database if exists desk with (force)`;
    await admin`create database desk`;
    const direct = server.url.replace(/\/postgres$/, '/desk');
    {
      await using pooler = await startPooler(directory, server.url, mode, 'extra_float_digits');
      const migrated = await Promise.all(
        [1, 2, 3].map(() => migrate(pooler.url).then(() => 'migrated', String)),
      );
      const wanted = mode === 'statement' ? /transaction/ : /^migrated, migrated, migrated$/;
      judge(`${mode} mode, three migrations at once`, migrated.join(', '), wanted);
      const locks = await admin`select from pg_locks where locktype = 'advisory'`;
      judge(`${mode} mode, locks left behind`, String(locks.length), /^0$/);
      if (mode !== 'statement')
        judge(`${mode} mode, tables`, String((await inspect(direct)).current), /^true$/);
      else await migrate(direct);
      const refused = await startWith(pooler.url, direct, join(directory, 'blobs'));
      judge(
        `${mode} mode, a gateway`,
        refused,
        /^ConfigError: DATABASE_URL: .*a pooler .*connect to PostgreSQL directly/,
      );
    }
    await using careless = await startPooler(directory, server.url, mode, ours);
    const seen = await startWith(careless.url, direct, join(directory, 'blobs'));
    judge(`${mode} mode, our parameters ignored`, seen, /^ConfigError: DATABASE_URL: .*a pooler /);
    judge(
      `${mode} mode, the server itself`,
      await startWith(direct, direct, join(directory, 'blobs')),
      /role|started/,
    );
  }
  await admin.end({ timeout: 5 });
} finally {
  await rm(directory, { recursive: true, force: true });
}
process.exitCode = failed > 0 ? 1 : 0;
