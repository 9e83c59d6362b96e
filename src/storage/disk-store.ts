import { createHash } from 'node:crypto';
import { type FileHandle, mkdir, open, opendir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { BlobMissing, type BlobStore, BlobTooLarge, newBlobKey, type StoredBlob } from './blob-store.ts';

const validKey = /^[0-9a-f]{40}$/;
/** Not two hexadecimal letters: no blob's folder has this name. */
const arriving = 'arriving';

/**
 * Blobs as files: `ab/abcdef…` under a directory, and `arriving/abcdef…` while their bytes come in. A file that a crash left
 * there is a key like any other to the collector. A range's end is its last byte, as in HTTP.
 */
export function createDiskStore(directory: string): BlobStore {
  const root = resolve(directory);
  const folderOf = (key: string) => join(root, key.slice(0, 2));
  const pathOf = (key: string) => join(folderOf(key), key);
  const arrivalOf = (key: string) => join(root, arriving, key);
  const folders = new Map<string, Promise<void>>();

  /** A folder is looked after once a process, whoever made it: its name must be on disk before a row tells of its files. */
  function ensureFolder(folder: string): Promise<void> {
    const known = folders.get(folder);
    if (known) return known;
    const above = folder === root ? Promise.resolve() : ensureFolder(root);
    const made = above
      .then(() => makeFolder(folder))
      .catch((error) => {
        folders.delete(folder);
        throw error;
      });
    folders.set(folder, made);
    return made;
  }

  async function remove(key: string): Promise<void> {
    if (!validKey.test(key)) return;
    await Promise.all([rm(pathOf(key), { force: true }), rm(arrivalOf(key), { force: true })]);
  }

  return {
    async put(source, maxBytes) {
      const key = newBlobKey();
      try {
        await Promise.all([ensureFolder(join(root, arriving)), ensureFolder(folderOf(key))]);
        const taken = await takeIn(source, arrivalOf(key), maxBytes);
        await rename(arrivalOf(key), pathOf(key));
        await syncFolder(folderOf(key));
        return { key, ...taken };
      } catch (error) {
        // The first fault is the one to tell; what cannot be removed now is the collector's.
        await remove(key).catch(() => {});
        throw error;
      }
    },

    async open(key, range) {
      if (!validKey.test(key)) throw new BlobMissing(key);
      let file: FileHandle;
      try {
        file = await open(pathOf(key));
      } catch (error) {
        throw isMissing(error) ? new BlobMissing(key) : error;
      }
      return file.createReadStream({ ...range, highWaterMark: 256 * 1024 });
    },

    remove,

    async *keysBefore(instant, beginning = '') {
      for await (const folder of entriesOf(root)) {
        // Most are passed over by their folder, unread.
        if (folder !== arriving && !folder.startsWith(beginning.slice(0, 2))) continue;
        for await (const key of entriesOf(join(root, folder))) {
          if (!validKey.test(key) || !key.startsWith(beginning)) continue;
          const { mtimeMs } = await stat(join(root, folder, key)).catch(missingIsNew);
          if (mtimeMs < instant.getTime()) yield key;
        }
      }
    },
  };
}

/** Writes a new file and waits until its bytes are on disk. */
async function takeIn(
  source: AsyncIterable<Buffer>,
  path: string,
  maxBytes: number,
): Promise<Omit<StoredBlob, 'key'>> {
  const hash = createHash('sha256');
  let byteSize = 0;
  // A fault on either side ends the loop, and with it the source.
  async function* metered(): AsyncGenerator<Buffer> {
    for await (const chunk of source) {
      byteSize += chunk.length;
      if (byteSize > maxBytes) throw new BlobTooLarge(maxBytes);
      hash.update(chunk);
      yield chunk;
    }
  }
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(metered());
    await file.sync();
  } finally {
    await file.close();
  }
  return { byteSize, sha256: hash.digest() };
}

async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await syncFolder(dirname(folder));
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Names in a folder; of a folder that is not there, none. */
async function* entriesOf(folder: string): AsyncGenerator<string> {
  try {
    for await (const { name } of await opendir(folder)) yield name;
  } catch (error) {
    if (!isMissing(error) && (error as NodeJS.ErrnoException).code !== 'ENOTDIR') throw error;
  }
}

/** Removed, or moved from `arriving`, while it was being looked at. */
function missingIsNew(error: unknown): { mtimeMs: number } {
  if (isMissing(error)) return { mtimeMs: Number.POSITIVE_INFINITY };
  throw error;
}

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';
