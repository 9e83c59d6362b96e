import { randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import type { Logger } from '../platform/log.ts';
import { type BlobStore, StoreUnavailable } from './blob-store.ts';

/**
 * Milliseconds that an answer is good for: whoever asks for readiness may ask often, and each look writes to
 * a disk.
 */
const rememberedMs = 5000;

/**
 * Puts, reads and removes a small blob, as a request would. @throws what is wrong, in the store's own words
 */
export async function checkStore(store: Pick<BlobStore, 'put' | 'open' | 'remove'>): Promise<void> {
  const bytes = randomBytes(32);
  try {
    const { key } = await store.put(once(bytes), bytes.length);
    try {
      if (!(await buffer(await store.open(key))).equals(bytes))
        throw new Error('what was written is not what is read');
    } finally {
      await store.remove(key);
    }
  } catch (error) {
    throw error instanceof StoreUnavailable ? error.cause : error;
  }
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}

/**
 * For readiness: one look at a time, good for some seconds. Whoever runs the gateway is told once when it
 * fails, and when it is over.
 */
export function createStoreCheck(store: BlobStore, log: Logger): () => Promise<void> {
  let last: Promise<void> | undefined;
  let failing = false;
  const look = async (): Promise<void> => {
    try {
      await store.check();
      if (failing) log.info('the blob store works again');
      failing = false;
    } catch (err) {
      if (!failing) log.error({ err }, 'the blob store does not work');
      failing = true;
      throw err;
    } finally {
      setTimeout(() => (last = undefined), rememberedMs).unref();
    }
  };
  return () => (last ??= look());
}
