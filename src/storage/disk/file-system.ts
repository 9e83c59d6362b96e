import * as fs from 'node:fs';
import { constants } from 'node:os';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { StoreUnavailable } from '../blob-store.ts';

/*
 * Uses descriptors instead of FileHandle: storing a small file takes five calls, and each costs about half as
 * much as through a FileHandle. All functions reject with the system's error unless they say otherwise.
 */
/** Opens a file and resolves to its descriptor. The caller closes it. */
export const openFile = promisify(fs.open);
/** Waits until a file's bytes are on disk. */
export const syncFile = promisify(fs.fsync);
/**
 * Closes a file, synchronously and outside of the thread pool. Nothing is written to the disk by this: what
 * must be durable was passed to `syncFile` before.
 */
export const closeFile = async (fd: number): Promise<void> => fs.closeSync(fd);
/** Size and times of a file. */
export const statFile = promisify(fs.fstat);
/** Cuts a file to a number of bytes. */
export const truncateFile = promisify(fs.ftruncate);
const makeDirectory = promisify(fs.mkdir);
const statPath = promisify(fs.stat);
const write = promisify(fs.write);
const writev = promisify(fs.writev);

/**
 * Writes all chunks at the file's position, or from byte `position` on, however few bytes the disk accepts at
 * a time. They are not on disk before `syncFile`.
 */
export async function writeAll(fd: number, pieces: readonly Buffer[], position?: number): Promise<void> {
  let at = position ?? null;
  let rest: Buffer;
  if (pieces.length === 1) rest = pieces[0]!;
  else {
    const { bytesWritten } = await writev(fd, [...pieces], at ?? undefined);
    const total = pieces.reduce((sum, { length }) => sum + length, 0);
    if (bytesWritten === total) return;
    rest = Buffer.concat(pieces).subarray(bytesWritten);
    if (at !== null) at += bytesWritten;
  }
  while (rest.length > 0) {
    const { bytesWritten } = await write(fd, rest, 0, rest.length, at);
    rest = rest.subarray(bytesWritten);
    if (at !== null) at += bytesWritten;
  }
}

/**
 * Waits until the names in a folder are on disk. Only the fsync runs in the thread pool: opening and closing
 * a folder that is being written to takes microseconds, and passing each to the pool costs ten times as
 * much.
 */
export async function syncFolder(folder: string): Promise<void> {
  const fd = fs.openSync(folder, 'r');
  try {
    await syncFile(fd);
  } finally {
    fs.closeSync(fd);
  }
}

/**
 * Creates a folder and its missing parents, for this user alone, and waits until their names are on disk. A
 * folder that exists is left as it is, but its name is fsynced as well. The fsync of a name is skipped,
 * without an error, when this user may not read the folder above it. It goes step by step, because Node's
 * recursive mkdir never ends where a file system reports ENOENT for a folder that cannot be created, as /proc
 * does.
 * @throws the system's error; one with the code ENOTDIR when something else has the name
 */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await makeDirectory(folder, 0o700);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') await assertFolder(folder, error);
    else if (codeOf(error) === 'ENOENT' && !(await isThere(dirname(folder)))) {
      await makeFolder(dirname(folder));
      await makeDirectory(folder, 0o700).catch((again) => assertFolder(folder, again));
    } else throw error;
  }
  // Whichever process created it, its name must be on disk before a row refers to files in it.
  await syncFolder(dirname(folder)).catch(unlessUnreadable);
}

async function assertFolder(folder: string, error: unknown): Promise<void> {
  if (codeOf(error) !== 'EEXIST') throw error;
  if (!(await statPath(folder)).isDirectory())
    throw Object.assign(new Error(`ENOTDIR: ${folder} is not a folder`), { code: 'ENOTDIR' });
}

/** The parent of the store may belong to another user and allow access without reading. */
function unlessUnreadable(error: unknown): void {
  if (codeOf(error) !== 'EACCES') throw error;
}

const isThere = (path: string): Promise<boolean> =>
  statPath(path).then(
    () => true,
    () => false,
  );

/** The code of a system error, such as `ENOENT`; undefined for other values. */
export const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException | null)?.code;
/** Whether an error says that a file or a folder does not exist. */
export const isMissing = (error: unknown): boolean => codeOf(error) === 'ENOENT';

/**
 * Errors of a disk that may recover: full, closed, disconnected, or not where the setting says. EIO means a
 * broken disk and stays a fault, which needs attention. ENOTCONN and ECONNABORTED are those of a folder whose
 * program (sshfs, s3fs) has ended, EHOSTDOWN that of a share.
 */
const passing = new Set([
  ...'ENOSPC EMFILE ENFILE ENOMEM EROFS EACCES EPERM ENOENT ENOTDIR ELOOP ENAMETOOLONG'.split(' '),
  ...'ETIMEDOUT EBUSY ENOTCONN ECONNABORTED EHOSTDOWN'.split(' '),
]);
/** Those that Node has no code for: a used-up quota, and a file server that has forgotten a file. */
const passingNumbers = new Set([constants.errno.EDQUOT, constants.errno.ESTALE]);

/**
 * Returns a StoreUnavailable for errors of a disk that may recover, with the error as its cause. Besides a
 * full disk, these include a missing file or folder (ENOENT, ENOTDIR) and one that is forbidden or read-only:
 * where a file may be missing for good, ask `isMissing` first. All other values, including EIO, are returned
 * unchanged. It throws nothing.
 */
export const asStoreFault = (error: unknown): unknown =>
  passing.has(codeOf(error) ?? '') || passingNumbers.has(-numberOf(error))
    ? new StoreUnavailable(error)
    : error;

const numberOf = (error: unknown): number => (error as NodeJS.ErrnoException | null)?.errno ?? 0;
