import { Buffer } from 'node:buffer';

/** Larger pieces are passed on as they arrived, because copying a large file costs more than its pieces. */
const joinedBytes = 16 * 1024;

/**
 * Takes the first of the pieces that wait, of which there is at least one, together with those behind it that
 * fit into 16 KiB with it. A sender may put each byte into a chunk of its own, and each piece costs its
 * readers as much as many bytes.
 * @param waiting is changed
 */
export function takePieces(waiting: Buffer[]): Buffer {
  let bytes = waiting[0]!.length;
  let count = 1;
  for (; count < waiting.length; count += 1) {
    bytes += waiting[count]!.length;
    if (bytes > joinedBytes) break;
  }
  const taken = waiting.splice(0, count);
  return taken.length === 1 ? taken[0]! : Buffer.concat(taken);
}
