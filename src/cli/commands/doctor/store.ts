import { readdir, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Config } from '../../../config.ts';
import type { Connection } from '../../../db/database.ts';
import type { BlobStore } from '../../../storage/blob-store.ts';
import type { CheckResult } from './check.ts';

/**
 * Stores, reads and deletes a file, and checks whether the store belongs to the desk's database. Folders that
 * this created are removed again: they would belong to the user who ran the doctor, and the gateway could not
 * write to them.
 * @param desk the gateway's connection to a desk with current tables; undefined if there is none: then the
 *   owner is not checked
 * @returns `ok`, or `warning` when the store does not belong to the database, so that garbage collection is
 *   off
 * @throws the store's error when it cannot be used
 */
export async function tryStore({ blobs }: Config, desk: Connection | undefined): Promise<CheckResult> {
  const { describePlace } = await import('../../../settings/blobs-url.ts');
  const { openStore } = await import('../../../storage/open-store.ts');
  const store = await openStore(blobs);
  const tidy = blobs.kind === 'file' ? await remember(blobs.directory) : async () => {};
  try {
    await store.check();
  } finally {
    await tidy();
  }
  const detail = `${describePlace(blobs)}: a file was stored, read and deleted`;
  const why = desk && (await whyNotCollected(desk, store));
  const todo = 'run `ticketwire blobs verify`, then `blobs adopt` if they belong together';
  return why === undefined
    ? { result: 'ok', detail }
    : { result: 'warning', detail: `${detail}; but garbage collection is off, as ${why}: ${todo}` };
}

async function whyNotCollected(desk: Connection, store: BlobStore): Promise<string | undefined> {
  const { openDatabase } = await import('../../../db/database.ts');
  const { whyStoreUnusable } = await import('../../../storage/store-owner.ts');
  await using database = openDatabase(desk, { poolSize: 2, applicationName: 'ticketwire-doctor' });
  return await whyStoreUnusable(database.desk, store);
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

/** Those of this folder and its parents that do not exist, innermost first. */
async function missingFrom(folder: string): Promise<string[]> {
  const there = await readdir(folder).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code !== 'ENOENT',
  );
  return there ? [] : [folder, ...(await missingFrom(dirname(folder)))];
}
