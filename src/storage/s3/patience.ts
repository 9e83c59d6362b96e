/** Time limits of a store, which become shorter when its process stops. */
export interface Patience {
  /**
   * Calls `late` once, after `ms` milliseconds, or after what `shorten` says if that is less.
   * @returns a function that ends the wait; must be called, also after `late`
   */
  wait(ms: number, late: () => void): () => void;
  /**
   * From now on, no wait lasts longer than `ms` milliseconds. For a wait that has begun, they are counted
   * from now.
   */
  shorten(ms: number): void;
  /** Whether it was shortened. */
  isShortened(): boolean;
}

interface Wait {
  readonly until: number;
  readonly late: () => void;
  timer?: NodeJS.Timeout;
}

/** Creates time limits that nothing has shortened yet. */
export function createPatience(): Patience {
  let longest = Number.POSITIVE_INFINITY;
  const waits = new Set<Wait>();
  function start(wait: Wait): void {
    clearTimeout(wait.timer);
    const left = Math.min(wait.until - performance.now(), longest);
    wait.timer = setTimeout(wait.late, Math.max(0, left));
  }
  return {
    wait(ms, late) {
      const wait: Wait = { until: performance.now() + ms, late };
      waits.add(wait);
      start(wait);
      return () => {
        clearTimeout(wait.timer);
        waits.delete(wait);
      };
    },
    shorten(ms) {
      longest = ms;
      for (const wait of waits) start(wait);
    },
    isShortened: () => longest !== Number.POSITIVE_INFINITY,
  };
}
