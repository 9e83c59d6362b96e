import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import postgres from 'postgres';
import { findBinaries } from '../../../src/dev/embedded-postgres/binaries.ts';
import { chooseIdentity } from '../../../src/dev/embedded-postgres/system-user.ts';
import { freePort } from '../../support/servers/free-port.ts';

const run = promisify(execFile);

/** A PostgreSQL as somebody else runs it: over TCP, with passwords, nothing of ours in it. */
export interface PostgresServer extends AsyncDisposable {
  readonly version: string;
  /** Its superuser's. */
  readonly url: string;
  urlOf(user: string, password: string, database: string): string;
}

/**
 * @param directory of its own, which other users may pass
 * @param bin folder of `initdb` and `postgres`; the ones that npm brings unless given
 */
export async function startPostgres(directory: string, bin?: string): Promise<PostgresServer> {
  const binaries = bin
    ? { initdb: join(bin, 'initdb'), postgres: join(bin, 'postgres') }
    : await findBinaries();
  const { ids, prefix } = await chooseIdentity(binaries.postgres, directory, undefined);
  const data = join(directory, 'server');
  const passwordFile = join(directory, 'password');
  await mkdir(data, { mode: 0o700 });
  await writeFile(passwordFile, 'admin-password\n');
  await chmod(passwordFile, 0o644);
  if (ids) await chown(data, ids.uid, ids.gid);
  const options = { ...ids, cwd: '/', env: { PATH: process.env.PATH, LC_ALL: 'C' } };
  const [initdb, ...initdbArgs] = [
    ...[...prefix, binaries.initdb, '-D', data, '-U', 'admin', '--auth', 'scram-sha-256'],
    ...['--pwfile', passwordFile, '--encoding', 'UTF8', '--locale', 'C'],
  ];
  await run(initdb!, initdbArgs, options);
  const port = await freePort();
  const [server, ...serverArgs] = [
    ...[...prefix, binaries.postgres, '-D', data, '-c', 'listen_addresses=127.0.0.1', '-c', `port=${port}`],
    ...['-c', 'unix_socket_directories=', '-c', 'shared_buffers=64MB'],
  ];
  const child = spawn(server!, serverArgs, { ...options, stdio: 'ignore' });
  const urlOf = (user: string, password: string, database: string) =>
    `postgres://${user}:${password}@127.0.0.1:${port}/${database}`;
  const url = urlOf('admin', 'admin-password', 'postgres');
  return {
    version: await versionOnceReady(url, () => child.exitCode),
    url,
    urlOf,
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null) return;
      child.kill('SIGINT');
      await once(child, 'exit');
    },
  };
}

async function versionOnceReady(url: string, exitCode: () => number | null): Promise<string> {
  for (const deadline = Date.now() + 30_000; ; await sleep(50)) {
    const sql = postgres(url, { max: 1, onnotice: () => {} });
    try {
      const [row] = await sql`show server_version`;
      return row!.server_version;
    } catch (error) {
      if (Date.now() > deadline || exitCode() !== null) throw error;
    } finally {
      await sql.end({ timeout: 1 });
    }
  }
}
