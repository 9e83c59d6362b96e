import { randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import type { Logger } from '../platform/log.ts';
import { type BlobStore, StoreUnavailable } from './blob-store.ts';

/**
 * How long a result is cached, milliseconds: readiness may be polled often, and each check writes to a disk.
 */
const rememberedMs = 5000;

/**
 * Writes, reads and removes a small blob, as a request would.
 * @throws the underlying error, instead of the StoreUnavailable that has it as its cause
 */
export async function checkStore(store: Pick<BlobStore, 'put' | 'open' | 'remove'>): Promise<void> {
  const bytes = randomBytes(32);
  try {
    const { key } = await store.put(once(bytes), bytes.length);
    try {
      if (!(await buffer(await store.open(key))).equals(bytes))
        throw new Error('the bytes that were read differ from those written');
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
 * Creates the check of the store for readiness. Calls while a check runs, and for five seconds after it,
 * share its result, a failure too. It logs when the store starts to fail, and when it works again.
 * @returns a function that resolves when the store works, and rejects with the error of `BlobStore.check`
 */
export function createStoreCheck(store: BlobStore, log: Logger): () => Promise<void> {
  let last: Promise<void> | undefined;
  let failing = false;
  const check = async (): Promise<void> => {
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
  return () => (last ??= check());
}
