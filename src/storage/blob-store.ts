import { randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';

/** What a blob store knows of the bytes it has taken. */
export interface StoredBlob {
  readonly key: string;
  readonly byteSize: number;
  readonly sha256: Buffer;
}

/** Bytes at rest under an opaque key. Rows decide what exists: a key that no row names is collected. */
export interface BlobStore {
  /**
   * Takes a stream to its end; the bytes are durable under their key when this resolves, and gone when it rejects.
   * @throws BlobTooLarge as soon as one byte more than `maxBytes` was read.
   */
  put(source: AsyncIterable<Buffer>, maxBytes: number): Promise<StoredBlob>;
  /** @throws BlobMissing */
  open(key: string, range?: { start: number; end: number }): Promise<Readable>;
  /** Removing what is not there is no error. */
  remove(key: string): Promise<void>;
  /** Keys that were put before an instant, of those that begin so, for the collector. Keys are lower case hexadecimal. */
  keysBefore(instant: Date, beginning?: string): AsyncIterable<string>;
}

export class BlobTooLarge extends Error {
  readonly limitBytes: number;
  constructor(limitBytes: number) {
    super(`more than ${limitBytes} bytes`);
    this.name = 'BlobTooLarge';
    this.limitBytes = limitBytes;
  }
}

export class BlobMissing extends Error {
  constructor(key: string) {
    super(`no blob ${key}`);
    this.name = 'BlobMissing';
  }
}

/** 160 random bits; the first two letters spread the keys over folders. */
export const newBlobKey = (): string => randomBytes(20).toString('hex');
