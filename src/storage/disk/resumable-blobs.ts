import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createDigests } from '../append-digests.ts';
import { createAppendTurns } from '../append-turns.ts';
import {
  type AppendOptions,
  BlobMissing,
  BlobOffset,
  type BlobStore,
  isBlobKey,
  newBlobKey,
  type Source,
  type StoredBlob,
} from '../blob-store.ts';
import { copySource, stopSource } from '../copy-and-hash.ts';
import type { createFolders } from './create-folders.ts';
import {
  asStoreFault,
  closeFile,
  isMissing,
  openFile,
  statFile,
  syncFile,
  syncFolder,
  truncateFile,
  writeAll,
} from './file-system.ts';

interface DiskFolders {
  readonly folders: ReturnType<typeof createFolders>;
  /** The folder of unfinished blobs. */
  readonly arriving: string;
  folderOf(key: string): string;
}

/**
 * The part of a disk store for blobs that are written by several requests. A blob is a file in the folder
 * `arriving` until it is finished, and is then moved to the folder of its key. The six methods and their
 * errors are described at `BlobStore`.
 */
export function createResumableOnDisk({
  folders,
  arriving,
  folderOf,
}: DiskFolders): Pick<BlobStore, 'create' | 'append' | 'sizeOf' | 'finish' | 'takeOver' | 'abandon'> {
  const inTurn = createAppendTurns();
  const digests = createDigests();

  /** Opens the file, and fsyncs what another process, or this one before a crash, wrote. */
  async function withFile<T>(
    folder: string,
    key: string,
    work: (fd: number, byteSize: number) => Promise<T>,
  ): Promise<T> {
    if (!isBlobKey(key)) throw new BlobMissing(key);
    let fd: number | undefined;
    try {
      fd = await openFile(join(folder, key), 'r+');
      await syncFile(fd);
      return await work(fd, (await statFile(fd)).size);
    } catch (error) {
      throw fd === undefined && isMissing(error) ? new BlobMissing(key) : asStoreFault(error);
    } finally {
      if (fd !== undefined) await closeFile(fd);
    }
  }

  async function appendFrom(
    fd: number,
    key: string,
    source: Source,
    { offset, maxBytes }: AppendOptions,
  ): Promise<number> {
    const hash = digests.goOn(key, offset);
    let written = offset;
    digests.forget(key);
    try {
      const { byteSize } = await copySource(source, maxBytes - offset, hash, async (pieces) => {
        await writeAll(fd, pieces, written);
        written += pieces.reduce((sum, { length }) => sum + length, 0);
      });
      await syncFile(fd);
      digests.keep(key, hash, offset + byteSize);
      return offset + byteSize;
    } catch (error) {
      await truncateFile(fd, offset);
      await syncFile(fd);
      throw error;
    }
  }

  /** Another file, because one who has opened the first may still write to it, or cut it. */
  async function copyFrom(fd: number): Promise<string> {
    const key = newBlobKey();
    const hash = createHash('sha256');
    const copy = await folders.createFile(arriving, key);
    try {
      const source = createReadStream('', { fd, start: 0, autoClose: false, highWaterMark: 256 * 1024 });
      const { byteSize, brokenOff } = await copySource(source, Number.POSITIVE_INFINITY, hash, (pieces) =>
        writeAll(copy, pieces),
      );
      if (brokenOff !== undefined) throw brokenOff;
      await syncFile(copy);
      await syncFolder(arriving);
      digests.keep(key, hash, byteSize);
      return key;
    } catch (error) {
      await rm(join(arriving, key), { force: true }).catch(() => {});
      throw error;
    } finally {
      await closeFile(copy);
    }
  }

  return {
    async create() {
      const key = newBlobKey();
      try {
        await closeFile(await folders.createFile(arriving, key));
        await syncFolder(arriving);
      } catch (error) {
        throw asStoreFault(error);
      }
      digests.begin(key);
      return key;
    },

    append: (key, source, options) =>
      inTurn(key, source, () =>
        withFile(arriving, key, async (fd, byteSize) => {
          if (byteSize !== options.offset) throw new BlobOffset(byteSize);
          return appendFrom(fd, key, source, options);
        }),
      ).catch((error) => {
        stopSource(source);
        throw error;
      }),

    sizeOf: (key) => inTurn(key, undefined, () => withFile(arriving, key, async (_fd, byteSize) => byteSize)),

    finish: (key) =>
      inTurn(key, undefined, async () => {
        const whole = (folder: string) =>
          withFile(folder, key, async (_fd, byteSize): Promise<StoredBlob> => {
            const sha256 = digests.digestOf(key, byteSize) ?? (await digestOf(join(folder, key)));
            return { key, byteSize, sha256 };
          });
        const arrived = await whole(arriving).catch((error) => {
          if (error instanceof BlobMissing) return undefined;
          throw error;
        });
        // An earlier attempt whose response was lost may have finished it.
        const found = arrived ?? (await whole(folderOf(key)));
        const isMoved = await moveTo(folderOf(key), key);
        // Another process may have abandoned it since it was read here.
        const blob = arrived === undefined || isMoved ? found : await whole(folderOf(key));
        digests.forget(key);
        return blob;
      }),

    takeOver: (key) =>
      inTurn(key, undefined, () => withFile(arriving, key, (fd) => copyFrom(fd))).catch((error) => {
        if (error instanceof BlobMissing) return undefined;
        throw error;
      }),

    abandon: (key) =>
      inTurn(key, undefined, async () => {
        if (!isBlobKey(key)) return;
        digests.forget(key);
        await rm(join(arriving, key), { force: true }).catch((error) => {
          throw asStoreFault(error);
        });
      }),
  };

  /** @returns false when the file is not there */
  async function moveTo(folder: string, key: string): Promise<boolean> {
    try {
      const isMoved = await folders.move(join(arriving, key), [folder], key).then(
        () => true,
        (error) => {
          if (isMissing(error)) return false;
          throw error;
        },
      );
      await syncFolder(folder);
      return isMoved;
    } catch (error) {
      throw asStoreFault(error);
    }
  }
}

async function digestOf(path: string): Promise<Buffer> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path, { highWaterMark: 256 * 1024 }))
    hash.update(piece as Buffer);
  return hash.digest();
}
