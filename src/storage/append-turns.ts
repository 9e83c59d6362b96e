import { createHash, type Hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Source } from './blob-store.ts';
import { destroy } from './intake.ts';

/**
 * Unfinished blobs whose digest goes on in memory; of others the bytes are read back when they are finished.
 */
const digestsKept = 10_000;

/**
 * One append at a time for each blob in this process: whoever comes later ends the one before, which keeps
 * what had arrived.
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

/** Digests of what has arrived of unfinished blobs, as far as this process has seen every byte of them. */
export function createDigests() {
  const digests = new LRUCache<string, { hash: Hash; byteSize: number }>({ max: digestsKept });
  return {
    begin: (key: string) => void digests.set(key, { hash: createHash('sha256'), byteSize: 0 }),
    /** A copy to go on with; it counts once `keep` is told of it. */
    goOn(key: string, byteSize: number): Hash | undefined {
      const known = digests.get(key);
      return known?.byteSize === byteSize ? known.hash.copy() : undefined;
    },
    keep(key: string, hash: Hash | undefined, byteSize: number): void {
      if (hash === undefined) digests.delete(key);
      else digests.set(key, { hash, byteSize });
    },
    forget: (key: string) => void digests.delete(key),
    /** `undefined`: the bytes have to be read back */
    digestOf: (key: string, byteSize: number): Buffer | undefined => {
      const known = digests.get(key);
      return known?.byteSize === byteSize ? known.hash.copy().digest() : undefined;
    },
  };
}
