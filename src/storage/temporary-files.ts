import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** As graphql-upload-ts names the files in which it holds what comes in until it is read. */
const temporaryName = /^capacitor-[0-9a-f]{32}\.tmp$/;

/**
 * Removes the temporary files of processes that were killed while they took something in: nobody else ever would.
 * @param olderThan must lie further back than the longest request takes: a living process has its own there.
 * @returns how many
 */
export async function removeForgotten(directory: string, olderThan: Date): Promise<number> {
  let count = 0;
  for (const name of await readdir(directory)) {
    if (!temporaryName.test(name)) continue;
    const path = join(directory, name);
    try {
      if ((await stat(path)).mtimeMs >= olderThan.getTime()) continue;
      await rm(path);
      count += 1;
    } catch {
      // Another process was first, or it is another user's.
    }
  }
  return count;
}
