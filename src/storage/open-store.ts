import { ConfigError } from '../config.ts';
import type { Db } from '../db/database.ts';
import { type BlobPlace, describePlace } from '../settings/blobs-url.ts';
import { type BlobStore, StoreUnavailable } from './blob-store.ts';
import { createDiskStore } from './disk/store.ts';
import { claimStore } from './store-owner.ts';

/**
 * Makes the store that a setting describes, without contacting it. The S3 client is loaded only when needed.
 */
export async function openStore(place: BlobPlace): Promise<BlobStore> {
  if (place.kind === 'file') return createDiskStore(place.directory);
  const { createS3Store } = await import('./s3/store.ts');
  return createS3Store(place);
}

/**
 * Opens the store, claims it for this database if it may (`claimStore`), and writes, reads and removes a test
 * file, because otherwise the first customer with a file would find the fault. A store that may not be
 * claimed, or belongs to another database, is opened as well; garbage collection then removes nothing of it,
 * and reports why.
 * @throws ConfigError when files cannot be stored there; the error of the database, or of a broken disk
 */
export async function openCheckedStore(place: BlobPlace, db: Db): Promise<BlobStore> {
  const store = await openStore(place);
  const fault = (error: unknown) =>
    new ConfigError(`BLOBS_URL: ${describePlace(place)} cannot be used: ${wordsOf(error)}`, { cause: error });
  // The identity is written before any file. If it does not match, the garbage collector reports that.
  await claimStore(db, store).catch((error) => {
    throw error instanceof StoreUnavailable ? fault(error.cause) : error;
  });
  await store.check().catch((error) => {
    throw fault(error);
  });
  return store;
}

/** An error's message, or its code: when all addresses of a host refuse, the error has no message. */
function wordsOf(error: unknown): string {
  const { message, name, code } = error as NodeJS.ErrnoException;
  return message || code || name;
}
