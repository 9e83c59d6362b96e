import { type Receive, type ReceivedFile, RequestOver } from '../../platform/incoming-file.ts';

/** Bytes that a file may have been given and the store has not taken, before its sender is held back. */
const aheadBytes = 256 * 1024;

/**
 * Files that are stored of one request: more than a message takes, so that the command is who refuses one too
 * many.
 */
const maxFiles = 100;

/** The files of one request, on their way into the blob store while their text is still being decoded. */
export class Spools {
  readonly #receive: Receive;
  readonly #all: Spool[] = [];
  #begun = 0;

  constructor(receive: Receive) {
    this.#receive = receive;
  }

  create(): Spool {
    const spool = new Spool((source) =>
      ++this.#begun > maxFiles ? undefined : this.#receive(source, 'Attachments'),
    );
    this.#all.push(spool);
    return spool;
  }

  /** Resolves when the store has caught up; `undefined` when nobody needs to wait. */
  get congestion(): Promise<void> | undefined {
    return this.#all.find((spool) => spool.congestion)?.congestion;
  }

  /** Gives up the files that have not come to their end. */
  release(): void {
    for (const spool of this.#all) spool.release();
  }
}

/** One file on its way in: takes bytes without waiting, and gives them to the store as fast as it writes. */
export class Spool {
  /** Bytes written so far. */
  size = 0;
  readonly #begin: (source: AsyncIterable<Buffer>) => Promise<ReceivedFile> | undefined;
  #received: Promise<ReceivedFile> | undefined;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  /** `given up`: by the store, which refuses the file, or by the request. */
  #state: 'open' | 'whole' | 'given up' = 'open';
  #wake = () => {};
  #congestion: PromiseWithResolvers<void> | undefined;

  /** @param begin stores the bytes; undefined: they are not wanted */
  constructor(begin: (source: AsyncIterable<Buffer>) => Promise<ReceivedFile> | undefined) {
    this.#begin = begin;
  }

  write(bytes: Buffer): void {
    this.size += bytes.length;
    if (this.#state === 'given up' || bytes.length === 0) return;
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (this.#waitingBytes > aheadBytes) this.#congestion ??= Promise.withResolvers();
    this.#start();
    this.#wake();
  }

  end(): void {
    if (this.#state === 'open') this.#state = 'whole';
    this.#wake();
  }

  get congestion(): Promise<void> | undefined {
    return this.#congestion?.promise;
  }

  /**
   * Of a file that has come to its end. An empty one is stored when it is asked for: an item of a list may
   * have been none.
   */
  get received(): Promise<ReceivedFile> {
    this.#start();
    return this.#received!;
  }

  release(): void {
    if (this.#state !== 'open') return;
    this.#giveUp();
    this.#wake();
  }

  #start(): void {
    if (this.#received !== undefined) return;
    this.#received = this.#begin(this.#pieces()) ?? this.#refuse();
    // Told to whoever waits for it, which may be nobody.
    this.#received.catch(() => {});
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

  /** All that waits, as one piece: lines of 76 characters would each cost a write. */
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
