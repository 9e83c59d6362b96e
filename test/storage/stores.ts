import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BlobStore, everyKey } from '../../src/storage/blob-store.ts';
import { createDiskStore } from '../../src/storage/disk-store.ts';

/** A place for blobs that a test has to itself. */
export interface StoreWorld extends AsyncDisposable {
  readonly store: BlobStore;
  /** The same place as another process sees it. */
  another(): BlobStore;
  /** Whatever lies there, by its whole name; unfinished writes too. */
  names(): Promise<string[]>;
}

async function openDisk(): Promise<StoreWorld> {
  const directory = await mkdtemp(join(tmpdir(), 'blobs-'));
  const root = join(directory, 'blobs');
  return {
    store: createDiskStore(root),
    another: () => createDiskStore(root),
    async names() {
      const entries = await readdir(directory, { recursive: true, withFileTypes: true });
      return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
    },
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}

/** Every kind of store: what holds of one must hold of the other. */
export const storeWorlds: Readonly<Record<string, () => Promise<StoreWorld>>> = { disk: openDisk };

export async function all<T>(list: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const one of list) found.push(one);
  return found;
}

/** All keys of a store, or those of a range. */
export const keysOf = async (store: BlobStore, range = everyKey): Promise<string[]> =>
  (await all(store.list(range))).map(({ key }) => key).sort();
