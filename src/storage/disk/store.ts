import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, rename, rm, rmdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { dayOf, isDay } from '../aside-day.ts';
import {
  type AsideBlob,
  BlobMissing,
  type BlobStore,
  isBlobKey,
  isInRange,
  type KeyRange,
  type ListedBlob,
  newBlobKey,
} from '../blob-store.ts';
import { checkStore } from '../check-store.ts';
import { copySource } from '../copy-and-hash.ts';
import { destroyWith } from '../destroy-with.ts';
import { readIdentity, writeIdentity } from '../store-identity.ts';
import { createFolders, entriesOf } from './create-folders.ts';
import {
  asStoreFault,
  closeFile,
  isMissing,
  openFile,
  syncFile,
  syncFolder,
  writeAll,
} from './file-system.ts';
import { createResumableOnDisk } from './resumable-blobs.ts';

/**
 * Stores blobs as files in a directory. `ab/abcdef…` is a finished blob, `arriving/abcdef…` an unfinished
 * one, and `aside/2026-11-28/abcdef…` a blob that the garbage collector set aside on that day. The file
 * `identity` says which database the store belongs to, see store-owner.ts. No folder of finished blobs has
 * one of these names, because each is named by two hexadecimal digits. A crash may leave a half-written file.
 * No row refers to its key, so it is garbage collected. The directory is created at the first write. Faults
 * of the disk that will not pass are thrown as the system's errors.
 */
export function createDiskStore(directory: string): BlobStore {
  const root = resolve(directory);
  const arriving = join(root, 'arriving');
  const aside = join(root, 'aside');
  const folderOf = (key: string) => join(root, key.slice(0, 2));
  const pathOf = (key: string) => join(folderOf(key), key);
  const folders = createFolders(root);
  const unfinished = createResumableOnDisk({ folders, arriving, folderOf });

  async function remove(key: string): Promise<void> {
    if (!isBlobKey(key)) return;
    await Promise.all([failingAsStore(rm(pathOf(key), { force: true })), unfinished.abandon(key)]);
  }

  /** Writes a new file and waits until it and its name are on disk. */
  async function writeNew(folder: string, name: string, bytes: Buffer): Promise<void> {
    const fd = await folders.createFile(folder, name);
    try {
      await writeAll(fd, [bytes]);
      await syncFile(fd);
    } finally {
      await closeFile(fd);
    }
    await syncFolder(folder);
  }

  const store: BlobStore = {
    async put(source, maxBytes) {
      const key = newBlobKey();
      const folder = folderOf(key);
      const hash = createHash('sha256');
      let fd: number | undefined;
      /** The source's error must not be taken for the disk's. */
      let own: Error | undefined;
      try {
        const { byteSize, brokenOff } = await copySource(source, maxBytes, hash, async (pieces) => {
          fd ??= await folders.createFile(folder, key);
          await writeAll(fd, pieces);
        });
        own = brokenOff;
        if (own !== undefined) throw own;
        fd ??= await folders.createFile(folder, key);
        await syncFile(fd);
        const written = fd;
        // Whatever `close` says, its number may be another file's afterwards.
        fd = undefined;
        await closeFile(written);
        await syncFolder(folder);
        return { key, byteSize, sha256: hash.digest() };
      } catch (error) {
        // The first error is reported; what cannot be removed now is left to the garbage collector.
        if (fd !== undefined) await closeFile(fd).catch(() => {});
        await remove(key).catch(() => {});
        throw error === own ? error : asStoreFault(error);
      }
    },

    async open(key, range, signal) {
      if (!isBlobKey(key)) throw new BlobMissing(key);
      signal?.throwIfAborted();
      const fd = await openFile(pathOf(key), 'r').catch((error) => {
        throw isMissing(error) ? new BlobMissing(key) : asStoreFault(error);
      });
      if (signal?.aborted) await closeFile(fd);
      signal?.throwIfAborted();
      return destroyWith(createReadStream('', { fd, ...range, highWaterMark: 256 * 1024 }), signal);
    },

    async byteSizeOf(key) {
      return isBlobKey(key)
        ? (await failingAsStore(stat(pathOf(key)).catch(unlessMissing)))?.size
        : undefined;
    },

    remove,
    ...unfinished,
    check: () => checkStore(store),

    list: (range) => listingAsStore(listFolders(root, range)),

    async setAside(key) {
      if (!isBlobKey(key)) return;
      const folder = join(aside, dayOf(new Date()));
      await failingAsStore(folders.move(pathOf(key), [aside, folder], key).catch(unlessMissing));
    },

    listAside: () => listingAsStore(listDays(aside)),

    async restore({ key, day }) {
      await failingAsStore(folders.move(join(aside, day, key), [folderOf(key)], key).catch(unlessMissing));
      await failingAsStore(syncFolder(folderOf(key)));
    },

    async destroy({ key, day }: AsideBlob) {
      await failingAsStore(rm(join(aside, day, key), { force: true }));
      // Removes the day's folder with its last file.
      await rmdir(join(aside, day)).catch(() => {});
    },

    identity: () =>
      readFile(join(root, 'identity'), 'utf8').then(readIdentity, (error) => {
        if (isMissing(error)) return undefined;
        throw asStoreFault(error);
      }),

    async setIdentity(identity) {
      const name = `identity-${randomBytes(8).toString('hex')}`;
      await failingAsStore(writeNew(root, name, Buffer.from(writeIdentity(identity))));
      await failingAsStore(rename(join(root, name), join(root, 'identity')).then(() => syncFolder(root)));
    },
  };
  return store;
}

/** Whether keys with this beginning can be in the range. */
const mayHold = (beginning: string, { from, to }: KeyRange): boolean =>
  `${beginning}g` > from && beginning < to;

async function* listFolders(root: string, range: KeyRange): AsyncGenerator<ListedBlob> {
  for await (const folder of entriesOf(root)) {
    const finished = /^[0-9a-f]{2}$/.test(folder);
    // Most are skipped by folder, without being read.
    if (!(finished && mayHold(folder, range)) && folder !== 'arriving') continue;
    yield* listFolder(join(root, folder), range, finished);
  }
}

async function* listFolder(folder: string, range: KeyRange, finished: boolean): AsyncGenerator<ListedBlob> {
  for await (const key of entriesOf(folder)) {
    if (!isBlobKey(key) || !isInRange(key, range)) continue;
    // It may be finished or removed concurrently.
    const found = await stat(join(folder, key)).catch(unlessMissing);
    if (found !== undefined) yield { key, at: found.mtime, finished };
  }
}

async function* listDays(aside: string): AsyncGenerator<AsideBlob> {
  for await (const day of entriesOf(aside)) {
    if (!isDay(day)) continue;
    for await (const key of entriesOf(join(aside, day))) if (isBlobKey(key)) yield { key, day };
  }
}

async function* listingAsStore<T>(list: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* list;
  } catch (error) {
    throw asStoreFault(error);
  }
}

const failingAsStore = <T>(work: Promise<T>): Promise<T> =>
  work.catch((error) => {
    throw asStoreFault(error);
  });

function unlessMissing(error: unknown): undefined {
  if (isMissing(error)) return undefined;
  throw error;
}
