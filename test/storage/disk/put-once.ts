/*
 * Puts one blob of 64 KiB into the directory given, and says its key once it is durable: to be killed at any
 * of its steps.
 */
import { Readable } from 'node:stream';
import { createDiskStore } from '../../../src/storage/disk/store.ts';

const stored = await createDiskStore(process.argv[2]!).put(Readable.from([Buffer.alloc(65_536, 7)]), 1e6);
process.stdout.write(stored.key);
