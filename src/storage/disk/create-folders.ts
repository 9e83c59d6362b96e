import { opendir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, isMissing, makeFolder, openFile } from './file-system.ts';

/**
 * Creates files in the folders of a store, which are created on demand. Each folder is created, and its name
 * fsynced as `makeFolder` does, once per process, and again when somebody has removed it.
 * @param root the store's folder; it is created too
 * @returns `createFile(folder, name)` opens a new file for writing and resolves to its descriptor.
 *   `move(file, folders, name)` moves a file into the last of the folders, each of which is in the one before
 *   it. Neither fsyncs the file or its name. Both reject with the system's error
 */
export function createFolders(root: string) {
  const made = new Map<string, Promise<void>>();

  function ensure(folder: string): Promise<void> {
    const known = made.get(folder);
    if (known) return known;
    const above = folder === root ? Promise.resolve() : ensure(root);
    const making = above
      .then(() => makeFolder(folder))
      .catch((error) => {
        made.delete(folder);
        throw error;
      });
    made.set(folder, making);
    return making;
  }

  /** Creates the folders, and does what needs them; once more when somebody has removed one. */
  async function within<T>(folders: readonly string[], act: () => Promise<T>): Promise<T> {
    const ensureAll = async () => {
      for (const folder of folders) await ensure(folder);
    };
    await ensureAll();
    try {
      return await act();
    } catch (error) {
      if (!isMissing(error)) throw error;
      made.clear();
      await ensureAll();
      return act();
    }
  }

  return {
    /** Opens a new file for writing; its folder is created when it is missing. */
    createFile: (folder: string, name: string): Promise<number> =>
      within([folder], () => openFile(join(folder, name), 'wx', 0o600)),
    /**
     * Moves a file into the last of the folders.
     * @param folders each is in the one before it; those that are missing are created
     */
    move: (file: string, folders: readonly string[], name: string): Promise<void> =>
      within(folders, () => rename(file, join(folders.at(-1)!, name))),
  };
}

/** The names in a folder, in no particular order; none when it does not exist or is not a folder. */
export async function* entriesOf(folder: string): AsyncGenerator<string> {
  try {
    for await (const { name } of await opendir(folder)) yield name;
  } catch (error) {
    if (!isMissing(error) && codeOf(error) !== 'ENOTDIR') throw error;
  }
}
