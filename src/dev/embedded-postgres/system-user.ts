import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { EmbeddedUnavailable } from './binaries.ts';

const run = promisify(execFile);

/** The user of the operating system that PostgreSQL runs as. It refuses to run as root. */
export interface Identity {
  /** Undefined: the user of this process. */
  readonly ids: { readonly uid: number; readonly gid: number } | undefined;
  /** Words to put before each command line, to run it as this user. */
  readonly prefix: readonly string[];
}

const ourselves: Identity = { ids: undefined, prefix: [] };
/**
 * A user namespace: root outside, so that no other user owns the files, and an ordinary user inside. initdb
 * needs the user's name, and every system has one for 65534.
 */
const namespace: Identity = {
  ids: undefined,
  prefix: ['unshare', '--user', '--map-user=65534', '--map-group=65534'],
};

/**
 * Chooses the user that PostgreSQL runs as. A process that is not root uses its own, unchecked. For root it
 * is the first identity that can run the program and enter the directory: of the user `postgres`, a user
 * namespace, and `nobody`.
 * @param postgres path of the program `postgres`
 * @param directory path of DATA_DIR, which must exist
 * @param owner owner of the cluster's directory if it exists: the user that created a cluster keeps it
 * @throws EmbeddedUnavailable when no user can run PostgreSQL
 */
export async function chooseIdentity(
  postgres: string,
  directory: string,
  owner: { uid: number; gid: number } | undefined,
): Promise<Identity> {
  if (process.getuid?.() !== 0) return ourselves;
  for (const identity of await candidates(owner)) {
    if (await canRun(identity, postgres, directory)) return identity;
  }
  throw new EmbeddedUnavailable(
    `PostgreSQL does not run as root, and no other user can reach both ${postgres} and ${directory}: ` +
      'start as an ordinary user, make both accessible to "postgres" or "nobody", or set DATABASE_URL',
  );
}

async function candidates(owner: { uid: number; gid: number } | undefined): Promise<Identity[]> {
  if (owner !== undefined) return [owner.uid === 0 ? namespace : { ids: owner, prefix: [] }];
  const found = await Promise.all([userNamed('postgres'), userNamed('nobody')]);
  const [postgres, nobody] = found.map((ids) => (ids === undefined ? [] : [{ ids, prefix: [] }]));
  // `nobody` comes last, because other programs may run as it and would reach the files.
  return [...postgres!, namespace, ...nobody!];
}

async function userNamed(name: string): Promise<{ uid: number; gid: number } | undefined> {
  try {
    const [uid, gid] = await Promise.all([run('id', ['-u', name]), run('id', ['-g', name])]);
    return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
  } catch {
    return undefined;
  }
}

async function canRun(identity: Identity, postgres: string, directory: string): Promise<boolean> {
  const script = '"$0" --version >/dev/null && cd "$1"';
  const [command, ...args] = [...identity.prefix, 'sh', '-c', script, postgres, directory];
  try {
    await run(command!, args, { ...identity.ids, cwd: '/' });
    return true;
  } catch {
    return false;
  }
}
