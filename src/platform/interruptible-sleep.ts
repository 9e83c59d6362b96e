/**
 * A sleep that other code can end early. `wake` ends the current sleep, and lets every later one end
 * immediately until `reset`. A loop calls `reset` before it looks for work and `sleep` after it, so that no
 * `wake` in between is lost. Only one sleep may run at a time.
 */
export interface InterruptibleSleep {
  /** Ends the current sleep, and each later one until `reset`. It needs no `this`. */
  readonly wake: () => void;
  /** Forgets earlier calls of `wake`. */
  reset(): void;
  /** Resolves after this time, or as soon as `wake` is called; immediately if it was called since `reset`. */
  sleep(milliseconds: number): Promise<void>;
}

/** Creates a sleep for one loop. */
export function createInterruptibleSleep(): InterruptibleSleep {
  let woken = false;
  let end: (() => void) | undefined;
  return {
    wake() {
      woken = true;
      end?.();
    },
    reset() {
      woken = false;
    },
    sleep(milliseconds) {
      if (woken) return Promise.resolve();
      return new Promise((resolve) => {
        const timer = setTimeout(() => end?.(), milliseconds);
        end = () => {
          clearTimeout(timer);
          end = undefined;
          resolve();
        };
      });
    },
  };
}
