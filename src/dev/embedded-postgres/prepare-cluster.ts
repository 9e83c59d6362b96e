import { execFile } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { type Binaries, EmbeddedUnavailable, findBinaries } from './binaries.ts';
import { chooseIdentity, type Identity } from './system-user.ts';

const run = promisify(execFile);

/** The cluster's superuser, which owns the database and all tables. */
export const clusterUser = 'ticketwire';
/**
 * The server's whole environment. Nothing else of ours reaches it, because its files and responses must not
 * depend on it.
 */
export const serverEnvironment = { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' };

/** PostgreSQL's files under a DATA_DIR, as absolute paths, and how its server is run. */
export interface Cluster {
  /** `DATA_DIR/postgres` */
  readonly directory: string;
  /** PostgreSQL's data directory, `data` in `directory`. */
  readonly data: string;
  /** The server's log file, `postgres.log` in `directory`. */
  readonly log: string;
  readonly binaries: Binaries;
  /** The user that the server runs as, who owns the files. */
  readonly identity: Identity;
}

/**
 * The absolute path of a DATA_DIR's cluster, `DATA_DIR/postgres`, whether it exists or not. Symbolic links
 * are resolved, because a server is recognized by this path in its command line.
 */
export function clusterDirectory(dataDir: string): string {
  return join(existsSync(dataDir) ? realpathSync(dataDir) : resolve(dataDir), 'postgres');
}

/**
 * Creates DATA_DIR and the cluster in it unless they exist. No server is started. The cluster is created
 * under another name and then renamed, so that an interrupted start leaves nothing that looks like a cluster;
 * what earlier interrupted starts left is removed.
 * @param durable false: the files are not fsynced
 * @throws EmbeddedUnavailable when PostgreSQL cannot run here, when the directory belongs to another user, or
 *   when initdb fails; or an error of the file system
 */
export async function prepareCluster(dataDir: string, { durable }: { durable: boolean }): Promise<Cluster> {
  const binaries = await findBinaries();
  // Others may enter it, as PostgreSQL's user must, but not list it. `chmod` ignores the umask.
  if (makeFolder(dataDir)) chmodSync(dataDir, 0o711);
  const directory = clusterDirectory(dataDir);
  const there = existsSync(directory) ? statSync(directory) : undefined;
  const identity = await chooseIdentity(binaries.postgres, dataDir, there);
  if (there && process.getuid?.() !== 0 && there.uid !== process.getuid?.()) {
    throw new EmbeddedUnavailable(
      `DATA_DIR: ${directory} belongs to another user: start as that user, or choose another DATA_DIR`,
    );
  }
  makeFolder(directory);
  chmodSync(directory, 0o700);
  if (identity.ids) chownSync(directory, identity.ids.uid, identity.ids.gid);
  const cluster = {
    directory,
    data: join(directory, 'data'),
    log: join(directory, 'postgres.log'),
    binaries,
    identity,
  };
  removeLeftovers(directory);
  if (!existsSync(cluster.data)) await initialise(cluster, durable);
  return cluster;
}

/**
 * Creates a folder and its missing parents, one by one: Node's recursive mkdir never ends where a file system
 * reports ENOENT for a folder that cannot be created, as /proc does.
 * @returns whether it was created here; false when it was there already
 */
function makeFolder(folder: string): boolean {
  const isThere = () => statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true;
  if (isThere()) return false;
  makeFolder(dirname(folder));
  try {
    mkdirSync(folder);
    return true;
  } catch (error) {
    // Another start may have created it meanwhile.
    if ((error as NodeJS.ErrnoException).code === 'EEXIST' && isThere()) return false;
    throw error;
  }
}

async function initialise({ directory, data, binaries, identity }: Cluster, durable: boolean): Promise<void> {
  const fresh = join(directory, `new-${process.pid}`);
  rmSync(fresh, { recursive: true, force: true });
  const [command, ...args] = [
    ...identity.prefix,
    ...[
      binaries.initdb,
      '--pgdata',
      fresh,
      '--username',
      clusterUser,
      '--auth',
      'trust',
      '--no-instructions',
    ],
    ...['--encoding', 'UTF8', '--locale', 'C', '--locale-provider', 'builtin', '--builtin-locale', 'C.UTF-8'],
    ...(durable ? [] : ['--no-sync']),
  ];
  try {
    await run(command!, args, { ...identity.ids, cwd: '/', env: serverEnvironment });
    renameSync(fresh, data);
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    // Another process made its first start at the same time. Its cluster is as good; the server's lock
    // decides which process continues.
    if (existsSync(data)) return;
    const why = (error as { stderr?: string }).stderr?.trim() || error;
    throw new EmbeddedUnavailable(`DATA_DIR: no database can be made in ${directory}: ${why}`, {
      cause: error,
    });
  }
}

/**
 * Removes what a first start left when it was killed. If its initdb still runs for a moment, the next start
 * removes the rest.
 */
function removeLeftovers(directory: string): void {
  for (const name of readdirSync(directory)) {
    const starter = Number(name.match(/^new-(\d+)$/)?.[1]);
    if (!starter || existsProcess(starter)) continue;
    try {
      rmSync(join(directory, name), { recursive: true, force: true });
    } catch {
      // Still being written.
    }
  }
}

function existsProcess(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
