import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import { freePort } from '../../support/servers/free-port.ts';

const documented = new URL('../../../docs/deploy/pgbouncer.ini', import.meta.url);

/** Lines of `[pgbouncer]` by their names. */
export type Lines = Readonly<Record<string, string>>;

/** Debian's PgBouncer with `docs/deploy/pgbouncer.ini`. */
export interface Pooler extends AsyncDisposable {
  /** URL of the login that it was started for. */
  readonly url: string;
  /** Resolves when it has ended. Its clients lose their connections. */
  stop(signal: 'SIGKILL' | 'SIGTERM'): Promise<void>;
  /** Starts it again. Resolves when it answers. */
  start(): Promise<void>;
  /** Makes it read its file again, with these lines instead of the documented ones. */
  reload(lines: Lines): Promise<void>;
}

export interface PoolerOptions {
  /** Where its files are; other users may pass. */
  readonly directory: string;
  /** URL of a database of the server behind it, with the login and its password. */
  readonly server: string;
  /** Instead of the documented ones. */
  readonly lines?: Lines;
}

/** Starts one on a port of its own. */
export async function startPooler({ directory, server, lines = {} }: PoolerOptions): Promise<Pooler> {
  const port = await freePort();
  const file = join(directory, `pgbouncer-${port}.ini`);
  const { hostname, port: serverPort, username, password, pathname } = new URL(server);
  const users = join(directory, `users-${port}.txt`);
  await writeFile(users, `"${username}" "${password}"\n`, { mode: 0o644 });
  const fixed = { listen_port: `${port}`, auth_file: users, unix_socket_dir: '', logfile: '', pidfile: '' };
  const usual = { ...(await documentedLines()), ...fixed, ...lines };
  const write = async (changed: Lines) => {
    const values = Object.entries({ ...usual, ...changed }).map(([name, value]) => `${name} = ${value}`);
    const databases = ['[databases]', `* = host=${hostname} port=${serverPort}`];
    await writeFile(file, [...databases, '[pgbouncer]', ...values, ''].join('\n'), { mode: 0o644 });
  };
  await write({});
  const url = `postgres://${username}:${password}@127.0.0.1:${port}${pathname}`;
  let child: ChildProcess;
  async function start(): Promise<void> {
    child = run(file);
    await untilAnswered(url, () => child.exitCode);
  }
  async function stop(signal: NodeJS.Signals): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }
  await start();
  return {
    url,
    start,
    stop,
    async reload(changed) {
      await write(changed);
      child.kill('SIGHUP');
    },
    [Symbol.asyncDispose]: () => stop('SIGKILL'),
  };
}

async function documentedLines(): Promise<Lines> {
  const [, section] = (await readFile(documented, 'utf8')).split('[pgbouncer]\n');
  const lines = section!.matchAll(/^(\w+) = (.*)$/gm);
  return Object.fromEntries([...lines].map(([, name, value]) => [name, value]));
}

function run(file: string) {
  const root = process.getuid?.() === 0 ? ['-u', 'nobody'] : [];
  return spawn('pgbouncer', [...root, '-q', file], { stdio: 'ignore' });
}

async function untilAnswered(url: string, exitCode: () => number | null): Promise<void> {
  for (const deadline = Date.now() + 20_000; ; await sleep(20)) {
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
