import { randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import { Unavailable } from '../platform/errors.ts';

/** Size and digest of a stored blob. */
export interface StoredBlob {
  readonly key: string;
  readonly byteSize: number;
  readonly sha256: Buffer;
}

/**
 * A source of bytes: a stream, or another iterable. When the rest of its bytes is not wanted, a stream is
 * destroyed, and `stop` of another source is called.
 */
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
  /** Time of the last write. Of a multipart upload to S3 without a state object: when it was begun. */
  readonly at: Date;
  /**
   * Whether it is complete. False for a blob that was created by `create` and is still being written, and for
   * what a `put` in several parts left when it was cut off.
   */
  readonly finished: boolean;
}

/**
 * The database that a store belongs to (`id`), and the number of garbage collections that the store has had
 * (`generation`).
 */
export interface StoreIdentity {
  readonly id: string;
  readonly generation: number;
}

/**
 * Stores bytes under opaque keys. Rows decide what exists: a blob that no row refers to is garbage collected.
 * The methods and the lists reject with StoreUnavailable when the store is full or does not answer, except
 * `check`, which rejects with the underlying error. A broken disk (EIO) rejects them with the system's error.
 * Every failure of S3 is a StoreUnavailable, also that of a bucket which is forbidden. For a text that is no
 * key, reading, appending and finishing reject with BlobMissing, and removing does nothing.
 */
export interface BlobStore {
  /**
   * Stores a stream under a new key. The bytes are durable when this resolves. When it rejects they are
   * removed, or left to the garbage collector if the store does not let them be removed at once. The source
   * is destroyed when it rejects, whatever the reason.
   * @throws BlobTooLarge as soon as more than `maxBytes` were read
   * @throws the source's error
   */
  put(source: Source, maxBytes: number): Promise<StoredBlob>;
  /**
   * Reads a finished blob, or a range of it. `start` and `end` are the first and the last byte, as in HTTP.
   * The caller reads the stream to its end or destroys it, which ends at once what the store does for it. The
   * stream of S3 fails with StoreUnavailable when the rest of the bytes cannot be had; that of a disk, with
   * the system's error.
   * @param signal for a reader who may leave: it ends the opening, whose promise rejects with the signal's
   *   reason, and destroys the stream without an error
   * @throws BlobMissing, also for a blob that is unfinished or was set aside
   */
  open(key: string, range?: { start: number; end: number }, signal?: AbortSignal): Promise<Readable>;
  /** Bytes of a finished blob; undefined when there is none. */
  byteSizeOf(key: string): Promise<number | undefined>;
  /** Destroys a blob, finished or not, without setting it aside. Removing a missing one is not an error. */
  remove(key: string): Promise<void>;

  /**
   * Creates an empty blob that is written by several requests, and returns its key. It cannot be opened until
   * it is finished.
   */
  create(): Promise<string>;
  /**
   * Appends a stream to an unfinished blob, and resolves with the durable size of the whole blob, even when
   * the source failed: everything that had arrived is stored. A later `append`, `sizeOf`, `finish`, `abandon`
   * or `remove` of the same key ends an append that is running in this process. The source is destroyed when
   * this rejects. After StoreUnavailable, some of the bytes may be stored: `sizeOf` says how many.
   * @throws BlobMissing
   * @throws BlobOffset when `offset` is not the durable size
   * @throws BlobTooLarge nothing is stored beyond `offset`, unless the store fails at that moment
   */
  append(key: string, source: Source, options: AppendOptions): Promise<number>;
  /**
   * Number of durable bytes of an unfinished blob.
   * @throws BlobMissing, also for a finished blob
   */
  sizeOf(key: string): Promise<number>;
  /**
   * Finishes a blob, which can be opened then under the same key. Its bytes are read back for their digest
   * unless this process has received all of them, without a failed append, and still knows their digest.
   * Finishing a finished blob again has the same result.
   * @throws BlobMissing
   */
  finish(key: string): Promise<StoredBlob>;
  /**
   * Copies an unfinished blob, as far as it is durable, to a new key, for a writer that follows one which may
   * only be asleep: whatever that one still does under the old key leaves the copy alone. The old blob stays,
   * to be removed once nothing refers to it, and cannot be appended to any more.
   * @returns the new key; undefined when there is no such unfinished blob
   */
  takeOver(key: string): Promise<string | undefined>;
  /** Removes an unfinished blob. Ignores a finished and a missing one. */
  abandon(key: string): Promise<void>;

  /** Writes, reads and deletes a small blob. Rejects with the underlying error, not with StoreUnavailable. */
  check(): Promise<void>;
  /**
   * Limits every wait for an answer to `ms` milliseconds from now on, because the process stops. A store that
   * does not answer would hold it up for a minute. Absent where there is nothing to wait for.
   */
  waitAtMost?(ms: number): void;
  /**
   * Makes a presigned URL for downloading a blob. Absent unless the store supports that and it is enabled.
   */
  presign?(key: string, options: PresignOptions): Promise<string>;

  /**
   * The blobs whose keys are in a range, finished or not, in no particular order. A finished one of which an
   * unfinished beginning is left is listed twice. Those set aside are not listed.
   */
  list(range: KeyRange): AsyncIterable<ListedBlob>;
  /**
   * Sets a finished blob aside, under today's day: it cannot be opened, but is not destroyed. A missing or
   * unfinished one is ignored.
   */
  setAside(key: string): Promise<void>;
  /** The blobs that were set aside, with the day on which they were. */
  listAside(): AsyncIterable<AsideBlob>;
  /** Restores a blob that was set aside, so that it can be opened again. A missing one is ignored. */
  restore(aside: AsideBlob): Promise<void>;
  /** Deletes a blob that was set aside, for good. A missing one is ignored. */
  destroy(aside: AsideBlob): Promise<void>;

  /** The identity that was last set; undefined when none was, `unreadable` when the store's is malformed. */
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

/** There is no such blob: no finished one to read, or no unfinished one to append to. */
export class BlobMissing extends Error {
  constructor(key: string) {
    super(`no blob ${key}`);
    this.name = 'BlobMissing';
  }
}

/** The offset of an append is not the durable size, which is `byteSize`. */
export class BlobOffset extends Error {
  readonly byteSize: number;
  constructor(byteSize: number) {
    super(`the blob has ${byteSize} bytes`);
    this.name = 'BlobOffset';
    this.byteSize = byteSize;
  }
}

/**
 * The store is full, has no file handles left, does not answer, or is missing, forbidden or read-only. A
 * retry may succeed, in 5 seconds at the earliest. Bytes may have been stored, as when only the response was
 * lost, but no row refers to them. The cause is the underlying error.
 */
export class StoreUnavailable extends Unavailable {
  constructor(cause: unknown) {
    super('The file store is not available at the moment', 5, { cause, nothingWritten: true });
    this.name = 'StoreUnavailable';
  }
}

/** Makes a key: 160 random bits in hexadecimal. The first two digits distribute the blobs over folders. */
export const newBlobKey = (): string => randomBytes(20).toString('hex');
/** Whether a text has the form of a key. */
export const isBlobKey = (text: string): boolean => /^[0-9a-f]{40}$/.test(text);
/** Whether a key is in a range, its end excluded. */
export const isInRange = (key: string, { from, to }: KeyRange): boolean => key >= from && key < to;
