import type { Hash } from 'node:crypto';
import { Readable } from 'node:stream';
import { BlobTooLarge, type Source } from './blob-store.ts';

/** Bytes that may wait for a write before the source is held back. */
const waitingBytes = 256 * 1024;

export interface Taken {
  readonly byteSize: number;
  /** The source's own fault, when it did not come to its end; what had arrived was written. */
  readonly brokenOff: Error | undefined;
}

/**
 * Reads a source to its end. Each piece is counted and hashed when it arrives, while the pieces before it are
 * being written; what arrives during one write goes into the next, so that a small file is one write. A
 * source that is not at its end is destroyed.
 * @throws BlobTooLarge at the first byte too many, or the fault of `write`, as soon as it is known
 */
export async function takeIn(
  source: Source,
  maxBytes: number,
  hash: Hash | undefined,
  write: (pieces: Buffer[]) => Promise<void>,
): Promise<Taken> {
  if (source instanceof Readable) {
    // It may fail before it is being read; unheard, that would end the process.
    source.on('error', () => {});
    // What somebody else has read is missing, and nothing would tell: the rest would be stored as if it were
    // the whole.
    if (source.readableDidRead) {
      source.destroy();
      throw new Error('the stream has been read from already');
    }
  }
  const line = createLine(write, (error) => destroy(source, error));
  let byteSize = 0;
  let brokenOff: Error | undefined;
  try {
    for await (const piece of source as AsyncIterable<Buffer>) {
      byteSize += piece.length;
      if (byteSize > maxBytes) throw new BlobTooLarge(maxBytes);
      hash?.update(piece);
      const room = line.add(piece);
      if (room !== undefined) await room;
    }
  } catch (error) {
    brokenOff = error as Error;
  }
  // Nothing may still be writing when the caller closes or removes what was written to.
  const fault = await line.end();
  if (fault !== undefined) throw fault;
  if (brokenOff instanceof BlobTooLarge) throw brokenOff;
  return { byteSize, brokenOff };
}

/** What has arrived and is not written yet. */
function createLine(write: (pieces: Buffer[]) => Promise<void>, onFault: (error: Error) => void) {
  let pieces: Buffer[] = [];
  let bytes = 0;
  let current: Promise<void> | undefined;
  let running: Promise<void> | undefined;
  let fault: Error | undefined;

  async function run(): Promise<void> {
    try {
      while (pieces.length > 0) {
        const next = pieces;
        pieces = [];
        bytes = 0;
        current = write(next);
        await current;
      }
    } catch (error) {
      fault = error as Error;
      onFault(fault);
    } finally {
      running = undefined;
    }
  }

  return {
    /** @returns what to wait for when enough is waiting */
    add(piece: Buffer): Promise<void> | undefined {
      if (fault !== undefined) throw fault;
      pieces.push(piece);
      bytes += piece.length;
      running ??= run();
      return bytes > waitingBytes ? current : undefined;
    },
    /** @returns the fault of a write, if one failed */
    async end(): Promise<Error | undefined> {
      await running;
      return fault;
    },
  };
}

/** Of what is no stream, the reader finds the fault at its next piece. */
export function destroy(source: Source, error?: Error): void {
  if (source instanceof Readable) source.destroy(error);
}
