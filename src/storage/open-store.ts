import { type BlobPlace, describePlace } from '../blobs-url.ts';
import { ConfigError } from '../config.ts';
import type { BlobStore } from './blob-store.ts';
import { createDiskStore } from './disk-store.ts';

/** The store of a setting. What S3 needs is loaded only where there is S3. */
export async function openStore(place: BlobPlace): Promise<BlobStore> {
  if (place.kind === 'file') return createDiskStore(place.directory);
  const { createS3Store } = await import('./s3-store.ts');
  return createS3Store(place);
}

/** @throws ConfigError when files cannot be kept there: else the first customer with a file would be the one to notice */
export async function openCheckedStore(place: BlobPlace): Promise<BlobStore> {
  const store = await openStore(place);
  try {
    await store.check();
  } catch (error) {
    throw new ConfigError(`BLOBS_URL: ${describePlace(place)} cannot be used: ${wordsOf(error)}`, {
      cause: error,
    });
  }
  return store;
}

/** A host with several addresses that all refuse is an error without words. */
function wordsOf(error: unknown): string {
  const { message, name, code } = error as NodeJS.ErrnoException;
  return message || code || name;
}
