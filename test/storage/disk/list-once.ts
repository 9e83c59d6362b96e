/*
 * Lists the blobs of the directory given, and those set aside, and says how many there are, or the error: to
 * be run on a disk that fails.
 */
import { everyKey } from '../../../src/storage/blob-store.ts';
import { createDiskStore } from '../../../src/storage/disk/store.ts';

const store = createDiskStore(process.argv[2]!);
/** By its number, as Node has no code for some errors of a disk. */
const nameOf = (error: NodeJS.ErrnoException & { cause?: NodeJS.ErrnoException }): string =>
  `${error.name} ${error.cause?.errno ?? error.errno}`;
async function listed(list: AsyncIterable<unknown>): Promise<string> {
  let count = 0;
  try {
    for await (const _ of list) count += 1;
  } catch (error) {
    return nameOf(error as Parameters<typeof nameOf>[0]);
  }
  return `${count}`;
}
process.stdout.write(`${await listed(store.list(everyKey))}; ${await listed(store.listAside())}`);
