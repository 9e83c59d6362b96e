import type { Source } from './blob-store.ts';
import { stopSource } from './copy-and-hash.ts';

/**
 * Creates a function that runs one piece of work at a time per blob in this process. Later work ends a
 * running append: it stops the `source` that the append reads from, as `stopSource` does, and waits for the
 * append's `work`, which has to store the bytes read so far and to settle then. Work that was given no source
 * is only waited for.
 * @returns takes the blob's key, the source of an append (undefined for other work) and the work; settles as
 *   the work does
 */
export function createAppendTurns() {
  const running = new Map<string, { readonly source: Source | undefined; readonly done: Promise<unknown> }>();

  return async function inTurn<T>(
    key: string,
    source: Source | undefined,
    work: () => Promise<T>,
  ): Promise<T> {
    for (let before = running.get(key); before !== undefined; before = running.get(key)) {
      if (before.source !== undefined) stopSource(before.source);
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
