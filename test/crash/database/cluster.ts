import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import postgres from 'postgres';
import { type Binaries, findBinaries } from '../../../src/dev/embedded-postgres/binaries.ts';
import { chooseIdentity, type Identity } from '../../../src/dev/embedded-postgres/system-user.ts';
import { freePort } from '../../support/servers/free-port.ts';

const run = promisify(execFile);

/**
 * One PostgreSQL over TCP that can be killed, frozen, started again, and made a standby of another. Whoever
 * connects is trusted.
 */
export interface Cluster extends AsyncDisposable {
  readonly port: number;
  start(): Promise<void>;
  /** SIGKILL, of the server and all of its sessions. */
  kill(): Promise<void>;
  /** SIGSTOP, of all of them: its sockets stay, and say nothing. */
  freeze(): void;
  promote(): Promise<void>;
  sql(): postgres.Sql;
  /** A copy of its files, which must not be in use, as its standby. */
  copyAsStandby(directory: string, how?: { readonly isSynchronous: boolean }): Promise<Cluster>;
  copy(directory: string): Promise<Cluster>;
}

interface Place {
  readonly directory: string;
  readonly binaries: Binaries;
  readonly identity: Identity;
}

export async function createCluster(directory: string): Promise<Cluster> {
  const binaries = await findBinaries();
  const identity = await chooseIdentity(binaries.postgres, dirname(directory), undefined);
  const place = { directory, binaries, identity };
  await mkdir(directory, { mode: 0o700 });
  if (identity.ids) await run('chown', [`${identity.ids.uid}:${identity.ids.gid}`, directory]);
  await command(place, [
    ...[binaries.initdb, '-D', directory, '-U', 'admin', '--auth', 'trust', '--no-sync'],
    ...['--encoding', 'UTF8', '--locale', 'C'],
  ]);
  return clusterAt(place);
}

const environment = { PATH: process.env.PATH, LC_ALL: 'C' };
function command({ identity }: Place, [first, ...rest]: string[]) {
  const [program, ...args] = [...identity.prefix, first!, ...rest];
  return run(program!, args, { ...identity.ids, cwd: '/', env: environment });
}

async function clusterAt(place: Place): Promise<Cluster> {
  const { directory, binaries, identity } = place;
  const port = await freePort();
  let child: ChildProcess | undefined;
  const sql = () =>
    postgres({
      ...{ host: '127.0.0.1', port, user: 'admin', database: 'postgres', max: 1 },
      ...{ onnotice: () => {}, connect_timeout: 2 },
    });
  const all = () => (child?.pid === undefined ? [] : [child.pid, ...childrenOf(child.pid)]);
  const isOver = () => child === undefined || child.exitCode !== null || child.signalCode !== null;

  async function kill(): Promise<void> {
    if (isOver()) return;
    const ended = once(child!, 'exit');
    for (const pid of all()) signal(pid, 'SIGKILL');
    await ended;
  }
  async function copy(to: string): Promise<Cluster> {
    await run('cp', ['-a', directory, to]);
    return clusterAt({ ...place, directory: to });
  }
  return {
    port,
    sql,
    kill,
    copy,
    async start() {
      const [program, ...args] = [
        ...[...identity.prefix, binaries.postgres, '-D', directory, '-c', `port=${port}`],
        ...[
          '-c',
          'listen_addresses=127.0.0.1',
          '-c',
          'unix_socket_directories=',
          '-c',
          'shared_buffers=64MB',
        ],
      ];
      child = spawn(program!, args, { ...identity.ids, cwd: '/', env: environment, stdio: 'ignore' });
      await whenReady(sql);
    },
    freeze() {
      for (const pid of all()) signal(pid, 'SIGSTOP');
    },
    async promote() {
      const client = sql();
      await client`select pg_promote()`;
      await client.end();
    },
    async copyAsStandby(to, { isSynchronous } = { isSynchronous: true }) {
      const standby = await copy(to);
      await writeFile(join(to, 'standby.signal'), '');
      if (identity.ids)
        await run('chown', [`${identity.ids.uid}:${identity.ids.gid}`, join(to, 'standby.signal')]);
      const primary = `host=127.0.0.1 port=${port} user=admin application_name=standby`;
      const streaming = `primary_conninfo = '${primary}'\nwal_retrieve_retry_interval = 100ms\n`;
      appendFileSync(join(to, 'postgresql.conf'), streaming);
      if (isSynchronous)
        appendFileSync(
          join(directory, 'postgresql.conf'),
          "synchronous_standby_names = 'standby'\nsynchronous_commit = remote_apply\n",
        );
      return standby;
    },
    [Symbol.asyncDispose]: kill,
  };
}

function childrenOf(parent: number): number[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const status = readFileSync(`/proc/${name}/status`, 'utf8');
      return Number(/^PPid:\s+(\d+)/m.exec(status)?.[1]) === parent ? [Number(name)] : [];
    } catch {
      return [];
    }
  });
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended by itself.
  }
}

async function whenReady(sql: () => postgres.Sql): Promise<void> {
  for (const deadline = Date.now() + 60_000; ; await sleep(20)) {
    const client = sql();
    try {
      await client`select 1`;
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
    } finally {
      await client.end({ timeout: 1 });
    }
  }
}
