/*
 * Puts one blob by two appends into the directory given, and says each step once it is durable: to be killed
 * at any of them.
 */
import { Readable } from 'node:stream';
import { createDiskStore } from '../../../src/storage/disk/store.ts';

const store = createDiskStore(process.argv[2]!);
const say = (text: string) => process.stdout.write(`${text}\n`);
const key = await store.create();
say(`created ${key}`);
for (const offset of [0, 65_536]) {
  const source = Readable.from([Buffer.alloc(65_536, 7)]);
  say(`durable ${await store.append(key, source, { offset, maxBytes: 1e6 })}`);
}
say(`finished ${(await store.finish(key)).byteSize}`);
