import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, fstatSync, openSync, readFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EmbeddedUnavailable } from './binaries.ts';
import { ownerSetting, readHolder } from './postmaster-pid.ts';
import { type Cluster, serverEnvironment } from './prepare-cluster.ts';

/** A running server, a child of this process. */
export interface Postmaster {
  readonly pid: number;
  readonly socketDirectory: string;
  /** Resolves to the reason, as text, when the server has ended. Never rejects. */
  readonly ended: Promise<string>;
  /**
   * Stops the server and waits until it has ended: it ends its connections and writes a checkpoint. If that
   * takes more than 30 s, it is ended without one.
   */
  stop(): Promise<void>;
}

/** Another server still holds the directory or its shared memory. A retry may succeed soon. */
export class DirectoryBusy extends Error {}

/**
 * Crash recovery is bounded by max_wal_size; a machine that needs longer than this has a fault of its own.
 */
const readyWithinSeconds = 120;
const stopWithinSeconds = 30;
const largestLogBytes = 4 * 1024 * 1024;

const settings = {
  listen_addresses: '',
  unix_socket_permissions: '0700',
  max_connections: '100',
  shared_buffers: '128MB',
  // Recovery after kill -9 replays at most about this much.
  max_wal_size: '256MB',
  checkpoint_timeout: '5min',
  // A container's /dev/shm has 64 MB, and the gateway's queries are small.
  max_parallel_workers_per_gather: '0',
  jit: 'off',
  // Statements and rows hold people's mail: the server's log has neither.
  log_min_messages: 'log',
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
  log_checkpoints: 'off',
};
const notDurable = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' };

/**
 * A pipe ties the server's life to ours: when our process ends for any reason, the pipe is closed, and a
 * watcher asks the server to stop. The server is in a session of its own, so that Ctrl-C or a kill of our
 * process group does not end it before we have drained.
 */
const script = '( ( cat <&3 >/dev/null; kill -INT $$ ) & ) 2>/dev/null; exec "$@" 3<&-';

/** How the server is launched. */
export interface LaunchOptions {
  /** The directory in which it creates its Unix socket. It must exist. */
  socketDirectory: string;
  /** False: no fsync, for tests. */
  durable: boolean;
  /** Further settings of PostgreSQL, by name, which override ours. */
  settings?: Readonly<Record<string, string>>;
  /** A process id in postmaster.pid that is known not to be a server's. */
  ignoredPid?: number | undefined;
}

/**
 * Starts the server and waits until it accepts connections. It stops when this process ends, for whatever
 * reason, and does not keep this process alive. Its output goes to the cluster's log file.
 * @throws DirectoryBusy when another server holds the directory; EmbeddedUnavailable when the server ends
 *   before it is ready; Error when it is not ready after 120 s
 */
export async function launch(cluster: Cluster, options: LaunchOptions): Promise<Postmaster> {
  const log = openLog(cluster.log);
  const logStart = fstatSync(log).size;
  const child = start(cluster, options, log);
  closeSync(log);
  const ended = endOf(child);
  let end: string | undefined;
  void ended.then((why) => {
    end = why;
  });
  const deadline = performance.now() + readyWithinSeconds * 1000;
  for (;;) {
    if (end !== undefined) throw failure(cluster, end, logStart);
    const holder = await readHolder(cluster.data);
    if (holder?.pid === child.pid && holder?.ready) break;
    if (performance.now() > deadline) {
      child.kill('SIGQUIT');
      throw new Error(`PostgreSQL was not ready after ${readyWithinSeconds} s, see ${cluster.log}`);
    }
    await sleep(10);
  }
  return {
    pid: child.pid!,
    socketDirectory: options.socketDirectory,
    ended,
    async stop() {
      child.ref();
      child.kill('SIGINT');
      const late = setTimeout(() => child.kill('SIGQUIT'), stopWithinSeconds * 1000);
      await ended;
      clearTimeout(late);
    },
  };
}

function start({ binaries, data, identity }: Cluster, options: LaunchOptions, log: number): ChildProcess {
  const all = {
    ...settings,
    ...(options.durable ? {} : notDurable),
    ...options.settings,
    unix_socket_directories: options.socketDirectory,
    [ownerSetting]: String(process.pid),
  };
  const server = [
    binaries.postgres,
    '-D',
    data,
    ...Object.entries(all).flatMap(([k, v]) => ['-c', `${k}=${v}`]),
  ];
  return spawn('sh', ['-c', script, 'sh', ...identity.prefix, ...server], {
    ...identity.ids,
    cwd: '/',
    detached: true,
    stdio: ['ignore', log, log, 'pipe'],
    env: {
      ...serverEnvironment,
      // PostgreSQL takes any process with the number in a stale postmaster.pid for a running server. It
      // ignores this number, and still checks the shared memory for orphaned backends. Removing the file
      // would disable both checks.
      ...(options.ignoredPid === undefined ? {} : { PG_GRANDPARENT_PID: String(options.ignoredPid) }),
    },
  });
}

function endOf(child: ChildProcess): Promise<string> {
  const pipe = child.stdio[3] as unknown as {
    unref(): void;
    destroy(): void;
    on(event: 'error', f: () => void): void;
  };
  pipe.on('error', () => {});
  pipe.unref();
  child.unref();
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => {
      // The watcher must not wait for our own end: by then another process may have this pid.
      pipe.destroy();
      resolve(`PostgreSQL ended with ${signal ?? `code ${code}`}`);
    });
  });
}

function failure({ data, log }: Cluster, end: string, logStart: number): Error {
  const said = readFileSync(log).subarray(logStart).toString().trim().split('\n').slice(-8).join('\n');
  if (/lock file ".*" already exists|shared memory block|Is another postmaster/i.test(said))
    return new DirectoryBusy(`${end}: ${said}`);
  // The server's own words for it are a detail, and details quote rows.
  const version = /incompatible with server/.test(said) ? readFileSync(join(data, 'PG_VERSION'), 'utf8') : '';
  const maker = version === '' ? '' : ` (it was made by PostgreSQL ${version.trim()})`;
  return new EmbeddedUnavailable(`DATA_DIR: the database in ${data} does not start${maker}; ${end}: ${said}`);
}

function openLog(path: string): number {
  try {
    if (statSync(path).size > largestLogBytes) renameSync(path, `${path}.1`);
  } catch {
    // The first start has no log.
  }
  return openSync(path, 'a', 0o600);
}
