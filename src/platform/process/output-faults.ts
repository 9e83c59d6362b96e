import type { Writable } from 'node:stream';

/**
 * Keeps a process running when its standard output cannot be written: without a listener, Node ends a process
 * on a stream's error. Lines that are written while the disk is full are lost; later ones are written when it
 * has room again.
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
