import { randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import { Unavailable } from '../platform/errors.ts';

/** What a blob store knows of the bytes it has taken. */
export interface StoredBlob {
  readonly key: string;
  readonly byteSize: number;
  readonly sha256: Buffer;
}

/** Where bytes come from. */
export type Source = Readable | AsyncIterable<Buffer>;

export interface AppendOptions {
  /** Where the caller believes that the bytes go on. */
  readonly offset: number;
  /** Of the whole blob: what is there already counts. */
  readonly maxBytes: number;
}

/** `from <= key < to`; both are lower case hexadecimal, and `'g'` follows every key. */
export interface KeyRange {
  readonly from: string;
  readonly to: string;
}
export const everyKey: KeyRange = { from: '0', to: 'g' };

export interface ListedBlob {
  readonly key: string;
  /** When it was last written to. */
  readonly at: Date;
  /** `false`: made by `create`, and not finished yet. */
  readonly finished: boolean;
}

/** To which database a store belongs, and the last collection that it has seen. */
export interface StoreIdentity {
  readonly id: string;
  readonly generation: number;
}

/**
 * Bytes at rest under an opaque key. Rows decide what exists: a key that no row names is collected.
 * Every method rejects with StoreUnavailable when the store is full or does not answer.
 */
export interface BlobStore {
  /**
   * Takes a stream to its end. The bytes are durable under their key when this resolves, and gone when it
   * rejects. The source is destroyed when it rejects, whatever the reason.
   * @throws BlobTooLarge as soon as one byte more than `maxBytes` was read.
   */
  put(source: Source, maxBytes: number): Promise<StoredBlob>;
  /** `end` is the range's last byte, as in HTTP. @throws BlobMissing */
  open(key: string, range?: { start: number; end: number }): Promise<Readable>;
  /** Of a finished blob; undefined when there is none. */
  byteSizeOf(key: string): Promise<number | undefined>;
  /** Removes it at once, finished or not. Removing what is not there is no error. */
  remove(key: string): Promise<void>;

  /** Begins a blob whose bytes come by several requests. Until it is finished it cannot be opened. */
  create(): Promise<string>;
  /**
   * Appends a stream and resolves with the durable size, even when the source broke off: what had arrived is
   * kept. Whoever appends to the same key, or asks for its size, ends the append that is running in this
   * process.
   * @throws BlobMissing
   * @throws BlobOffset when `offset` is not the durable size
   * @throws BlobTooLarge nothing is kept beyond `offset`, and the source is destroyed
   */
  append(key: string, source: Source, options: AppendOptions): Promise<number>;
  /** Durable bytes of an unfinished blob. @throws BlobMissing */
  sizeOf(key: string): Promise<number>;
  /**
   * From then on it is a blob like any other. When its bytes came through another process, they are read back
   * for their digest.
   * @throws BlobMissing
   */
  finish(key: string): Promise<StoredBlob>;
  /** Removes what was not finished, and nothing else. */
  abandon(key: string): Promise<void>;

  /** Writes, reads and deletes something small; rejects with what is wrong. */
  check(): Promise<void>;
  /** A URL that whoever has it may read the blob by, where the store can make one and is told to. */
  presign?(key: string, options: PresignOptions): Promise<string>;

  /** Keys of a range, finished or not, in no order. */
  list(range: KeyRange): AsyncIterable<ListedBlob>;
  /** Takes a blob out of reach without destroying it. What is not there is passed over. */
  setAside(key: string): Promise<void>;
  /** What was set aside, with the day on which it was. */
  listAside(): AsyncIterable<AsideBlob>;
  /** Puts back what was set aside. */
  restore(aside: AsideBlob): Promise<void>;
  destroy(aside: AsideBlob): Promise<void>;

  identity(): Promise<StoreIdentity | 'unreadable' | undefined>;
  setIdentity(identity: StoreIdentity): Promise<void>;
}

export interface AsideBlob {
  readonly key: string;
  /** `2026-11-28` */
  readonly day: string;
}

export interface PresignOptions {
  readonly expiresInSeconds: number;
  readonly disposition: string;
  readonly contentType: string;
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

/** An append that does not go on where the durable bytes end. */
export class BlobOffset extends Error {
  readonly byteSize: number;
  constructor(byteSize: number) {
    super(`the blob has ${byteSize} bytes`);
    this.name = 'BlobOffset';
    this.byteSize = byteSize;
  }
}

/**
 * The store is full, has no file handles left, or does not answer: nothing was stored, and later it may work.
 */
export class StoreUnavailable extends Unavailable {
  constructor(cause: unknown) {
    super('The file store does not take or give files at the moment', 5, { cause, nothingWritten: true });
    this.name = 'StoreUnavailable';
  }
}

/** 160 random bits; the first two letters spread the keys over folders. */
export const newBlobKey = (): string => randomBytes(20).toString('hex');
export const isBlobKey = (text: string): boolean => /^[0-9a-f]{40}$/.test(text);
export const isInRange = (key: string, { from, to }: KeyRange): boolean => key >= from && key < to;
