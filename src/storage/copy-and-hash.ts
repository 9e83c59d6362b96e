import type { Hash } from 'node:crypto';
import { Readable } from 'node:stream';
import { BlobTooLarge, type Source } from './blob-store.ts';

/** Bytes that may be buffered before the source is paused. */
const waitingBytes = 256 * 1024;

/** What `copySource` read. */
export interface CopiedSource {
  /** Bytes that were read and written. */
  readonly byteSize: number;
  /** The error of the source, if it failed before its end. Everything that had arrived was written. */
  readonly brokenOff: Error | undefined;
}

/**
 * Reads a source to its end. Each chunk is counted and hashed as it arrives, while earlier chunks are
 * written. The chunks that arrive during one write go into the next, so a small file is one write. A source
 * that has not ended is stopped.
 * @param hash is updated with the bytes; undefined: nothing is hashed
 * @param write called with the chunks in order, one call at a time; never called for an empty source
 * @returns resolves also when the source has failed, whose error is then in `brokenOff`
 * @throws BlobTooLarge at the first byte above the limit, when earlier chunks may be written; the error of
 *   `write`; an Error for a stream that was read from before
 */
export async function copySource(
  source: Source,
  maxBytes: number,
  hash: Hash | undefined,
  write: (pieces: Buffer[]) => Promise<void>,
): Promise<CopiedSource> {
  if (source instanceof Readable) {
    // It may fail before it is read. An unhandled error event would end the process.
    source.on('error', () => {});
    // Bytes that were read before are lost, and the rest would be stored as if it were the whole.
    if (source.readableDidRead) {
      source.destroy();
      throw new Error('the stream has already been read from');
    }
  }
  const line = createLine(write, (error) => stopSource(source, error));
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
  // No write may be in progress when the caller closes or removes the file.
  const fault = await line.end();
  if (fault !== undefined) throw fault;
  if (brokenOff instanceof BlobTooLarge) throw brokenOff;
  return { byteSize, brokenOff };
}

/** Chunks that have arrived and are not written yet. */
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
    /** @returns a promise to wait for when the buffer is full */
    add(piece: Buffer): Promise<void> | undefined {
      if (fault !== undefined) throw fault;
      pieces.push(piece);
      bytes += piece.length;
      running ??= run();
      return bytes > waitingBytes ? current : undefined;
    },
    /** @returns the error of a write, if one failed */
    async end(): Promise<Error | undefined> {
      await running;
      return fault;
    },
  };
}

/**
 * Stops a source whose bytes are not wanted any more: destroys a stream, and calls `stop` of another source.
 * A source without `stop` is left alone.
 * @param error why; a text of ours by default
 */
export function stopSource(source: Source, error?: Error): void {
  if (source instanceof Readable) source.destroy(error);
  else if ('stop' in source) source.stop?.(error ?? new Error('what arrives is not wanted any more'));
}
