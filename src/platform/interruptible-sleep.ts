/**
 * A wait that can be ended early. A ring ends the current wait; one since the last `reset` ends the next wait
 * immediately.
 */
export interface Alarm {
  /** Ends the current wait, or the next one. */
  readonly ring: () => void;
  /** Forgets earlier rings. */
  reset(): void;
  /** Waits until a ring, for at most this time. */
  wait(milliseconds: number): Promise<void>;
}

/** Creates an alarm that has not been rung. */
export function createAlarm(): Alarm {
  let rung = false;
  let wakeUp: (() => void) | undefined;
  return {
    ring() {
      rung = true;
      wakeUp?.();
    },
    reset() {
      rung = false;
    },
    wait(milliseconds) {
      if (rung) return Promise.resolve();
      return new Promise((resolve) => {
        const timer = setTimeout(() => wakeUp?.(), milliseconds);
        wakeUp = () => {
          clearTimeout(timer);
          wakeUp = undefined;
          resolve();
        };
      });
    },
  };
}
