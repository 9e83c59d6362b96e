import { createHash, type Hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';

/** Unfinished blobs whose digest state is held in memory. Others are read back when they are finished. */
const digestsKept = 10_000;

/**
 * Creates a cache of SHA-256 states of unfinished blobs, so that they need not be read back when they are
 * finished. It has up to 10,000 blobs of which this process has received every byte.
 * @returns functions by key. `begin`: starts with an empty blob. `goOn`: a copy of the state, to update with
 *   the bytes of an append and to pass to `keep`; undefined unless exactly `byteSize` bytes were digested.
 *   `keep`: stores the state after an append, or forgets the blob if it is undefined. `digestOf`: the digest;
 *   undefined unless exactly `byteSize` bytes were digested, so the bytes have to be read back. `forget`:
 *   drops the state
 */
export function createDigests() {
  // Bounded by size, one for each entry, because `max` would allocate all slots at once.
  const digests = new LRUCache<string, { hash: Hash; byteSize: number }>({
    maxSize: digestsKept,
    sizeCalculation: () => 1,
  });
  return {
    /** Begins an empty blob. */
    begin: (key: string) => void digests.set(key, { hash: createHash('sha256'), byteSize: 0 }),
    /** A copy of the state to continue with, until `keep`. Undefined: other bytes or none were digested. */
    goOn(key: string, byteSize: number): Hash | undefined {
      const known = digests.get(key);
      return known?.byteSize === byteSize ? known.hash.copy() : undefined;
    },
    /** Stores a state after an append. Without one, the blob has no state any more. */
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
