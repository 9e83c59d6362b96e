import type { Source } from './blob-store.ts';
import { destroy } from './copy-source.ts';

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
