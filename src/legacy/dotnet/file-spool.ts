import { type Receive, type ReceivedFile, RequestOver } from '../../platform/incoming-file.ts';

/** Bytes that are buffered before the sender is paused. */
const aheadBytes = 256 * 1024;

/**
 * Maximum number of files that are stored for a request. It exceeds a message's limit, so that the command's
 * refusal is the one seen.
 */
const maxFiles = 100;

/** The files of one request, which are streamed into the blob store while their text is being decoded. */
export class Spools {
  readonly #receive: Receive;
  readonly #all: Spool[] = [];
  #begun = 0;

  constructor(receive: Receive) {
    this.#receive = receive;
  }

  /**
   * Creates the spool of another file. The store is first called when it has bytes, or when `received` is
   * read.
   */
  create(): Spool {
    const spool = new Spool((source) =>
      ++this.#begun > maxFiles ? undefined : this.#receive(source, 'Attachments'),
    );
    this.#all.push(spool);
    return spool;
  }

  /**
   * Undefined when no file waits for the store. Otherwise the sender should pause until this resolves: the
   * store has caught up, or no longer takes the file. It never rejects.
   */
  get congestion(): Promise<void> | undefined {
    return this.#all.find((spool) => spool.congestion)?.congestion;
  }

  /**
   * Gives up the files that are not complete: the store gets the error RequestOver. Must be called when the
   * request ends.
   */
  release(): void {
    for (const spool of this.#all) spool.release();
  }
}

/** One file. It accepts bytes without waiting, and passes them to the store as fast as the store writes. */
export class Spool {
  /** Bytes written so far, also those that the store did not take. */
  size = 0;
  readonly #begin: (source: AsyncIterable<Buffer>) => Promise<ReceivedFile> | undefined;
  #received: Promise<ReceivedFile> | undefined;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  /** `given up`: by the store, which rejected the file, or by the request. */
  #state: 'open' | 'whole' | 'given up' = 'open';
  #wake = () => {};
  #congestion: PromiseWithResolvers<void> | undefined;

  /**
   * @param begin stores the bytes of `source`; it is called once. It returns undefined if they are not
   *   wanted.
   */
  constructor(begin: (source: AsyncIterable<Buffer>) => Promise<ReceivedFile> | undefined) {
    this.#begin = begin;
  }

  /** Appends bytes. They are discarded if the store has failed or the file was given up. */
  write(bytes: Buffer): void {
    this.size += bytes.length;
    if (this.#state === 'given up' || bytes.length === 0) return;
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (this.#waitingBytes > aheadBytes) this.#congestion ??= Promise.withResolvers();
    this.#start();
    this.#wake();
  }

  /** Marks the file as complete. No bytes may follow. */
  end(): void {
    if (this.#state === 'open') this.#state = 'whole';
    this.#wake();
  }

  /**
   * Undefined when at most 256 KiB wait for the store. Otherwise resolves when the store has caught up, or no
   * longer takes the file; it never rejects.
   */
  get congestion(): Promise<void> | undefined {
    return this.#congestion?.promise;
  }

  /**
   * The stored file. Only for a file that is complete. It rejects with the store's error, and with
   * RequestOver for a file beyond the first hundred of a request. An empty file is stored when this is first
   * read, because an item of a list may turn out to be no file.
   */
  get received(): Promise<ReceivedFile> {
    this.#start();
    return this.#received!;
  }

  /** Gives up the file if it is not complete: the store gets the error RequestOver. */
  release(): void {
    if (this.#state !== 'open') return;
    this.#giveUp();
    this.#wake();
  }

  #start(): void {
    if (this.#received !== undefined) return;
    this.#received = this.#begin(this.#pieces()) ?? this.#refuse();
    // A store may fail before it reads a byte, on a full disk for example. Then nothing drains the buffer,
    // and the sender must not wait for that. Those who await the file, if any, handle the error itself.
    this.#received.catch(() => this.#giveUp());
  }

  async *#pieces(): AsyncGenerator<Buffer, void> {
    try {
      for (;;) {
        while (this.#waiting.length > 0) yield this.#next();
        if (this.#state === 'whole') return;
        if (this.#state === 'given up') throw new RequestOver();
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    } finally {
      if (this.#state !== 'whole' || this.#waiting.length > 0) this.#giveUp();
    }
  }

  /** Concatenates the buffer: lines of 76 characters would cost a write each. */
  #next(): Buffer {
    const piece = this.#waiting.length === 1 ? this.#waiting[0]! : Buffer.concat(this.#waiting);
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#congestion?.resolve();
    this.#congestion = undefined;
    return piece;
  }

  #refuse(): Promise<ReceivedFile> {
    this.#giveUp();
    return Promise.reject(new RequestOver());
  }

  #giveUp(): void {
    this.#state = 'given up';
    this.#waiting = [];
    this.#congestion?.resolve();
    this.#congestion = undefined;
  }
}
