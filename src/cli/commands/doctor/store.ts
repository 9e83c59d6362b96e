import { readdir, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Config } from '../../../config.ts';

/**
 * Stores, reads and deletes a file. Folders that this created are removed again: they would belong to whoever
 * ran the doctor, and the gateway could not write to them.
 */
export async function tryStore({ blobs }: Config): Promise<string> {
  const { describePlace } = await import('../../../settings/blobs-url.ts');
  const { openStore } = await import('../../../storage/open-store.ts');
  const store = await openStore(blobs);
  const tidy = blobs.kind === 'file' ? await remember(blobs.directory) : async () => {};
  try {
    await store.check();
  } finally {
    await tidy();
  }
  return `${describePlace(blobs)}: a file was stored, read and deleted`;
}

/** Records what is in a folder. The returned function removes empty folders that were created since. */
async function remember(root: string): Promise<() => Promise<void>> {
  const before = await namesIn(root);
  const created = await missingFrom(root);
  return async () => {
    for (const name of (await namesIn(root)) ?? [])
      if (!before?.includes(name)) await rmdir(join(root, name)).catch(() => {});
    // A folder in which a gateway has stored a file meanwhile is not empty, so it stays.
    for (const folder of created) await rmdir(folder).catch(() => {});
  };
}

/** The names in a folder; undefined when it cannot be read. */
const namesIn = (folder: string): Promise<string[] | undefined> => readdir(folder).catch(() => undefined);

/** This folder and its parents, as far as they do not exist, innermost first. */
async function missingFrom(folder: string): Promise<string[]> {
  const there = await readdir(folder).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code !== 'ENOENT',
  );
  return there ? [] : [folder, ...(await missingFrom(dirname(folder)))];
}
