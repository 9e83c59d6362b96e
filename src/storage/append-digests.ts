import { createHash, type Hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';

/** Unfinished blobs whose digest state is held in memory. Others are read back when they are finished. */
const digestsKept = 10_000;

/** Creates the digest states of unfinished blobs of which this process has seen every byte. */
export function createDigests() {
  // By size, of one each: a bound by `max` would allocate all places at once.
  const digests = new LRUCache<string, { hash: Hash; byteSize: number }>({
    maxSize: digestsKept,
    sizeCalculation: () => 1,
  });
  return {
    begin: (key: string) => void digests.set(key, { hash: createHash('sha256'), byteSize: 0 }),
    /** A copy to continue with; it takes effect when `keep` is called. */
    goOn(key: string, byteSize: number): Hash | undefined {
      const known = digests.get(key);
      return known?.byteSize === byteSize ? known.hash.copy() : undefined;
    },
    keep(key: string, hash: Hash | undefined, byteSize: number): void {
      if (hash === undefined) digests.delete(key);
      else digests.set(key, { hash, byteSize });
    },
    forget: (key: string) => void digests.delete(key),
    /** `undefined`: the bytes have to be read back. */
    digestOf: (key: string, byteSize: number): Buffer | undefined => {
      const known = digests.get(key);
      return known?.byteSize === byteSize ? known.hash.copy().digest() : undefined;
    },
  };
}
