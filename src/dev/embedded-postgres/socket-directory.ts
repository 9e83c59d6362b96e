import { createHash } from 'node:crypto';
import { chownSync, lstatSync, mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Identity } from './system-user.ts';

/** The port in the name of the socket. The server does not listen on TCP. */
export const port = 5432;
/** Path of the server's socket in a directory. */
export const socketPath = (directory: string): string => join(directory, `.s.PGSQL.${port}`);

/** A socket's address has 104 bytes on macOS and 108 on Linux, the closing NUL included. */
const longestPath = 100;

/**
 * Chooses a directory for the server's socket that only its owner and root may enter: the cluster's own, or
 * one in the temporary directory, which is created, when the path in DATA_DIR would be too long for a socket.
 * @param cluster path of the cluster's directory
 * @param identity the user that the server runs as, who gets the directory
 * @returns the path of the directory
 * @throws Error when the temporary directory's path is too long as well, or an error of the file system
 */
export function socketDirectory(cluster: string, identity: Identity): string {
  if (Buffer.byteLength(socketPath(cluster)) < longestPath) return cluster;
  const name = `ticketwire-${createHash('sha256').update(cluster).digest('hex').slice(0, 12)}`;
  const parent = [tmpdir(), '/tmp'].find(
    (at) => Buffer.byteLength(socketPath(join(at, `${name}-XXXXXX`))) < longestPath,
  );
  if (parent === undefined) throw new Error(`no directory is short enough for the socket of ${cluster}`);
  const directory = join(parent, name);
  try {
    mkdirSync(directory, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    // Another user may have created this name first.
    return isPrivate(directory, identity) ? directory : own(mkdtempSync(`${directory}-`), identity);
  }
  return own(directory, identity);
}

function own(directory: string, { ids }: Identity): string {
  if (ids) chownSync(directory, ids.uid, ids.gid);
  return directory;
}

function isPrivate(directory: string, { ids }: Identity): boolean {
  const stat = lstatSync(directory);
  return stat.isDirectory() && stat.uid === (ids?.uid ?? process.getuid?.()) && (stat.mode & 0o077) === 0;
}
