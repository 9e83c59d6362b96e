import { opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, isMissing, makeFolder, openFile } from './file-system.ts';

/** Creates the folders of a store on demand. Each is created, and its name fsynced, once per process. */
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

  return {
    ensure,
    /** Opens a new file for writing; its folder is created when it is missing. */
    async createFile(folder: string, name: string): Promise<number> {
      await ensure(folder);
      try {
        return await openFile(join(folder, name), 'wx', 0o600);
      } catch (error) {
        if (!isMissing(error)) throw error;
        made.clear();
        await ensure(folder);
        return openFile(join(folder, name), 'wx', 0o600);
      }
    },
  };
}

/** The names in a folder; none when it does not exist. */
export async function* entriesOf(folder: string): AsyncGenerator<string> {
  try {
    for await (const { name } of await opendir(folder)) yield name;
  } catch (error) {
    if (!isMissing(error) && codeOf(error) !== 'ENOTDIR') throw error;
  }
}
