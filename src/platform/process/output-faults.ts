import type { Writable } from 'node:stream';

/**
 * Keeps a process running when its standard output cannot be written. Node ends a process on an error of a
 * stream that nobody listens to. Lines that the disk has no room for are lost, and later ones are written.
 * @param onReaderGone called once when the program that reads the output has ended (EPIPE)
 */
export function surviveOutputFaults(stdout: Writable, onReaderGone: () => void): void {
  let isGone = false;
  stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
    if (code !== 'EPIPE' || isGone) return;
    isGone = true;
    onReaderGone();
  });
}
