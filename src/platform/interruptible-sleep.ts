/**
 * A sleep that other code can end early. A call of `wake` ends the current sleep. One since the last `reset`
 * ends the next sleep immediately, so that no call is lost between two sleeps.
 */
export interface InterruptibleSleep {
  /** Ends the current sleep, or the next one. */
  readonly wake: () => void;
  /** Forgets earlier calls of `wake`. */
  reset(): void;
  /** Sleeps for this time, or until `wake` is called. */
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
