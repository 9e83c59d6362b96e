import type { Terminal } from './command.ts';

/** Reports what a long command does. */
export interface Progress {
  /**
   * Replaces the status line of a terminal, at most every 200 ms: calls in between are ignored. Does nothing
   * for a file or a pipe.
   */
  update(text: string): void;
  /** Writes a permanent line, to terminals and files alike. It takes the place of the status line. */
  line(text: string): void;
  /** Removes the status line. */
  end(): void;
}

const everyMs = 200;
const clearLine = '\r\u001b[K';

/** Reports progress on stderr. A file or a pipe receives the permanent lines only. */
export function createProgress(stderr: Terminal['stderr']): Progress {
  const isWatched = stderr.isTTY === true;
  let next = 0;
  let shown = false;
  const clear = () => {
    if (shown) stderr.write(clearLine);
    shown = false;
  };
  return {
    update(text) {
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
