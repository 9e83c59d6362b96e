import { ConfigError } from '../config.ts';
import type { Db } from '../db/database.ts';
import { type BlobPlace, describePlace } from '../settings/blobs-url.ts';
import { foreignness } from './belonging.ts';
import { type BlobStore, StoreUnavailable } from './blob-store.ts';
import { createDiskStore } from './disk/store.ts';

/** The store of a setting. What S3 needs is loaded only where there is S3. */
export async function openStore(place: BlobPlace): Promise<BlobStore> {
  if (place.kind === 'file') return createDiskStore(place.directory);
  const { createS3Store } = await import('./s3/store.ts');
  return createS3Store(place);
}

/**
 * The store, once it has met its database and has taken, given back and removed a file.
 * @throws ConfigError when files cannot be kept there: else the first customer with a file would be the one
 * to notice
 */
export async function openCheckedStore(place: BlobPlace, db: Db): Promise<BlobStore> {
  const store = await openStore(place);
  const fault = (error: unknown) =>
    new ConfigError(`BLOBS_URL: ${describePlace(place)} cannot be used: ${wordsOf(error)}`, { cause: error });
  // First, so that whoever finds a file there finds whose it is. What they think of each other is the
  // collector's to tell.
  await foreignness(db, store).catch((error) => {
    throw error instanceof StoreUnavailable ? fault(error.cause) : error;
  });
  await store.check().catch((error) => {
    throw fault(error);
  });
  return store;
}

/** A host with several addresses that all refuse is an error without words. */
function wordsOf(error: unknown): string {
  const { message, name, code } = error as NodeJS.ErrnoException;
  return message || code || name;
}
