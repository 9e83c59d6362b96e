/**
 * A wait that can be ended early. A ring ends the current wait; one since the last `reset` ends the next wait
 * immediately.
 */
export interface Alarm {
  readonly ring: () => void;
  reset(): void;
  /** @param milliseconds at most */
  wait(milliseconds: number): Promise<void>;
}

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
