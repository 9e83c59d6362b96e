import { createHash, type Hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Source } from './blob-store.ts';
import { destroy } from './copy-source.ts';

/** Unfinished blobs whose digest state is held in memory. Others are read back when they are finished. */
const digestsKept = 10_000;

/**
 * Creates a function that allows one append at a time per blob in this process. A later append ends the
 * current one, whose bytes are stored.
 */
export function createTurns() {
  const running = new Map<string, { readonly source: Source | undefined; readonly done: Promise<unknown> }>();

  return async function inTurn<T>(
    key: string,
    source: Source | undefined,
    work: () => Promise<T>,
  ): Promise<T> {
    for (let before = running.get(key); before !== undefined; before = running.get(key)) {
      if (before.source !== undefined) destroy(before.source);
      await before.done.catch(() => {});
    }
    const done = work();
    running.set(key, { source, done });
    try {
      return await done;
    } finally {
      running.delete(key);
    }
  };
}

/** Creates the digest states of unfinished blobs of which this process has seen every byte. */
export function createDigests() {
  const digests = new LRUCache<string, { hash: Hash; byteSize: number }>({ max: digestsKept });
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
