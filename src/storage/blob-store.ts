import { randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import { Unavailable } from '../platform/errors.ts';

/** Size and digest of a stored blob. */
export interface StoredBlob {
  readonly key: string;
  readonly byteSize: number;
  readonly sha256: Buffer;
}

/** A source of bytes. */
export type Source = Readable | (AsyncIterable<Buffer> & { stop?(why: Error): void });

/** Where and how much to append. */
export interface AppendOptions {
  /** The size that the caller expects the blob to have so far. */
  readonly offset: number;
  /** Limit of the whole blob, including the bytes that are stored already. */
  readonly maxBytes: number;
}

/** `from <= key < to`; both are lower case hexadecimal, and `'g'` follows every key. */
export interface KeyRange {
  readonly from: string;
  readonly to: string;
}
/** All keys. */
export const everyKey: KeyRange = { from: '0', to: 'g' };

/** A blob in a list. */
export interface ListedBlob {
  readonly key: string;
  /** Time of the last write. */
  readonly at: Date;
  /** Whether it is complete. False for a blob that was created by `create` and is still being written. */
  readonly finished: boolean;
}

/** The database that a store belongs to, and the last collection that it has seen. */
export interface StoreIdentity {
  readonly id: string;
  readonly generation: number;
}

/**
 * Stores bytes under opaque keys. Rows decide what exists: a blob that no row refers to is garbage
 * collected. Every method rejects with StoreUnavailable when the store is full or does not answer.
 */
export interface BlobStore {
  /**
   * Stores a stream. The bytes are durable under their key when this resolves, and removed when it rejects.
   * The source is destroyed when it rejects, whatever the reason.
   * @throws BlobTooLarge as soon as more than `maxBytes` were read
   */
  put(source: Source, maxBytes: number): Promise<StoredBlob>;
  /**
   * Reads a blob, or a range of it. `end` is the range's last byte, as in HTTP.
   * @throws BlobMissing
   */
  open(key: string, range?: { start: number; end: number }): Promise<Readable>;
  /** Bytes of a finished blob; undefined when there is none. */
  byteSizeOf(key: string): Promise<number | undefined>;
  /** Removes a blob, finished or not. Removing a missing one is not an error. */
  remove(key: string): Promise<void>;

  /**
   * Creates a blob that is written by several requests, and returns its key. It cannot be opened until it is
   * finished.
   */
  create(): Promise<string>;
  /**
   * Appends a stream and resolves with the durable size, even when the source failed: everything that had
   * arrived is stored. Another append to the same key, or a query of its size, ends an append that is
   * running in this process.
   * @throws BlobMissing
   * @throws BlobOffset when `offset` is not the durable size
   * @throws BlobTooLarge nothing is stored beyond `offset`, and the source is destroyed
   */
  append(key: string, source: Source, options: AppendOptions): Promise<number>;
  /**
   * Durable bytes of an unfinished blob.
   * @throws BlobMissing
   */
  sizeOf(key: string): Promise<number>;
  /**
   * Finishes a blob. When its bytes were written by another process, they are read back for their digest.
   * @throws BlobMissing
   */
  finish(key: string): Promise<StoredBlob>;
  /** Removes an unfinished blob, and nothing else. */
  abandon(key: string): Promise<void>;

  /** Writes, reads and deletes a small blob. Rejects with the error. */
  check(): Promise<void>;
  /**
   * Waits no longer than `ms` for an answer from now on, because the process stops. A store that does not
   * answer would hold it up for a minute. Absent where nothing is waited for.
   */
  waitAtMost?(ms: number): void;
  /** A presigned URL for downloading a blob, if the store supports it and it is enabled. */
  presign?(key: string, options: PresignOptions): Promise<string>;

  /** Keys in a range, finished or not, in no particular order. */
  list(range: KeyRange): AsyncIterable<ListedBlob>;
  /** Sets a blob aside: it cannot be opened, but is not destroyed. A missing one is ignored. */
  setAside(key: string): Promise<void>;
  /** The blobs that were set aside, with the day on which they were. */
  listAside(): AsyncIterable<AsideBlob>;
  /** Restores a blob that was set aside. */
  restore(aside: AsideBlob): Promise<void>;
  /** Deletes a blob that was set aside. */
  destroy(aside: AsideBlob): Promise<void>;

  /** The identity that was last set; undefined when none was. */
  identity(): Promise<StoreIdentity | 'unreadable' | undefined>;
  /** Records which database owns the store. */
  setIdentity(identity: StoreIdentity): Promise<void>;
}

/** A blob that was set aside. */
export interface AsideBlob {
  readonly key: string;
  /** The day in UTC on which it was set aside: `2026-11-28`. */
  readonly day: string;
}

/** What a presigned URL contains. */
export interface PresignOptions {
  readonly expiresInSeconds: number;
  /** Content-Disposition of the response. */
  readonly disposition: string;
  /** Content-Type of the response. */
  readonly contentType: string;
}

/** A blob has more bytes than its limit allows. */
export class BlobTooLarge extends Error {
  readonly limitBytes: number;
  constructor(limitBytes: number) {
    super(`more than ${limitBytes} bytes`);
    this.name = 'BlobTooLarge';
    this.limitBytes = limitBytes;
  }
}

/** There is no blob of this key. */
export class BlobMissing extends Error {
  constructor(key: string) {
    super(`no blob ${key}`);
    this.name = 'BlobMissing';
  }
}

/** An append whose offset is not the durable size. */
export class BlobOffset extends Error {
  readonly byteSize: number;
  constructor(byteSize: number) {
    super(`the blob has ${byteSize} bytes`);
    this.name = 'BlobOffset';
    this.byteSize = byteSize;
  }
}

/**
 * The store is full, has no file handles left, or does not answer. Nothing was stored, and a retry may
 * succeed.
 */
export class StoreUnavailable extends Unavailable {
  constructor(cause: unknown) {
    super('The file store is not available at the moment', 5, { cause, nothingWritten: true });
    this.name = 'StoreUnavailable';
  }
}

/** Makes a key: 160 random bits in hexadecimal. The first two digits distribute the blobs over folders. */
export const newBlobKey = (): string => randomBytes(20).toString('hex');
/** Whether a text is a key. */
export const isBlobKey = (text: string): boolean => /^[0-9a-f]{40}$/.test(text);
/** Whether a key is in a range. */
export const isInRange = (key: string, { from, to }: KeyRange): boolean => key >= from && key < to;
