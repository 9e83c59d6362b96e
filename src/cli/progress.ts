import type { Terminal } from './command.ts';

export interface Progress {
  /** Shown in place of what was told before, several times a second at most, and to a terminal alone. */
  tell(text: string): void;
  /** A line that stays, whoever reads. */
  line(text: string): void;
  end(): void;
}

const everyMs = 200;
const clearLine = '\r\u001b[K';

/**
 * How far long work has come, for whoever watches it; a program that reads stderr gets the lines that stay.
 */
export function createProgress(stderr: Terminal['stderr']): Progress {
  const isWatched = stderr.isTTY === true;
  let next = 0;
  let shown = false;
  const clear = () => {
    if (shown) stderr.write(clearLine);
    shown = false;
  };
  return {
    tell(text) {
      if (!isWatched || performance.now() < next) return;
      next = performance.now() + everyMs;
      stderr.write(`${clearLine}${text}`);
      shown = true;
    },
    line(text) {
      clear();
      stderr.write(`${text}\n`);
    },
    end: clear,
  };
}
