import { fatalOf, isRefusedWrite } from './session/server-error.ts';

const code = (letter: string) => letter.charCodeAt(0);
const [errorResponse, backendKey, ready] = [code('E'), code('K'), code('Z')];
const [parameterDescription, describe, sync, query] = [code('t'), code('D'), code('S'), code('Q')];
const [parse, bind] = [code('P'), code('B')];
/** The state in a `ReadyForQuery` outside of transactions. */
const idle = code('I');
const commandComplete = Buffer.from('C\0\0\0\rSELECT 0\0', 'latin1');
const cancelRequest = 80_877_102;
/** A message's letter and its length. */
const headBytes = 5;

/**
 * The state of PostgreSQL's protocol on one connection, from the bytes that pass over it: which backend
 * answers, whether answers are outstanding, and whether the server ends the connection. All instants are by
 * `performance.now()`.
 */
export class ProtocolState {
  /** The backend's process id, once the server has sent it. */
  pid: number | undefined;
  /**
   * The error with which the server ends the connection. `received` withholds its message from the driver.
   */
  fatal: Error | undefined;
  /** When the server last sent something; before that, when the connection was opened. */
  heardAt: number;
  /**
   * When the server last refused a write because nothing can be written in the transaction or on it;
   * `-Infinity` if it never did.
   */
  refusedAt = Number.NEGATIVE_INFINITY;
  /** When the first of the outstanding statements was sent; before that, when the connection was opened. */
  askedAt: number;
  /** Whether the connection is still being opened. */
  isStarting = true;
  /** Whether the driver has sent its first message. */
  hasBegun = false;
  /**
   * Whether the driver will send more on behalf of a transaction, at least its end. False from when that is
   * sent.
   */
  isTransactionOpen = false;
  /** Names of prepared statements that end a transaction. */
  readonly #ends = new Set<string>();
  /**
   * Outstanding answers: each `Sync` ends in a `ReadyForQuery`, each `Describe` begins with its parameters.
   */
  #syncs = 0;
  #describes = 0;
  /** Bytes of a message that is passed on only when it is complete. */
  #held: Buffer = Buffer.alloc(0);
  /** How much is still to arrive of a message that is passed on in pieces. */
  #passing = 0;

  /** @param openedAt when the connection was opened, by `performance.now()` */
  constructor(openedAt: number) {
    this.heardAt = openedAt;
    this.askedAt = openedAt;
  }

  /** Whether an answer is outstanding, also while the connection is being opened. */
  get isWaiting(): boolean {
    return this.isStarting || this.#syncs > 0 || this.#describes > 0;
  }

  /** Called with each chunk that the driver sends. A chunk has whole messages. */
  sent(chunk: Buffer): void {
    if (this.hasBegun) return this.#count(chunk);
    this.hasBegun = true;
    // The first message has no letter. A cancel request gets no answer.
    if (chunk.length === 16 && chunk.readUInt32BE(4) === cancelRequest) this.isStarting = false;
  }

  #count(chunk: Buffer): void {
    if (!this.isWaiting) this.askedAt = performance.now();
    for (let at = 0; at + headBytes <= chunk.length; at += 1 + chunk.readUInt32BE(at + 1)) {
      const letter = chunk[at];
      if (letter === sync || letter === query) this.#syncs += 1;
      else if (letter === describe) this.#describes += 1;
      else if (letter === parse) this.#noteEnd(chunk, at + headBytes);
      else if (letter === bind && this.isTransactionOpen)
        this.isTransactionOpen = !this.#isEnd(chunk, at + headBytes);
    }
  }

  /** Remembers a statement that ends transactions. A `Parse` has the statement's name and its text. */
  #noteEnd(chunk: Buffer, at: number): void {
    const nameEnd = chunk.indexOf(0, at);
    const text = chunk.toString('latin1', nameEnd + 1, nameEnd + 10);
    const name = chunk.toString('latin1', at, nameEnd);
    if (/^(?:commit|rollback)\0/.test(text)) this.#ends.add(name);
    else if (name === '') this.#ends.delete(name);
  }

  /** Whether a `Bind`, which has the names of its portal and of its statement, ends the transaction. */
  #isEnd(chunk: Buffer, at: number): boolean {
    const from = chunk.indexOf(0, at) + 1;
    return this.#ends.has(chunk.toString('latin1', from, chunk.indexOf(0, from)));
  }

  /**
   * Called with each chunk that the server sends.
   * @returns what the driver gets: everything up to the first message that must be complete and is not yet
   */
  received(chunk: Buffer): Buffer {
    this.heardAt = performance.now();
    const data = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    let at = Math.min(this.#passing, data.length);
    this.#passing -= at;
    while (data.length - at >= headBytes) {
      const letter = data[at]!;
      const size = 1 + data.readUInt32BE(at + 1);
      if (letter === errorResponse || letter === backendKey || letter === ready) {
        if (at + this.#needed(letter, data, at, size) > data.length) break;
        if (!this.#accept(letter, data.subarray(at + headBytes, at + size))) break;
        at += size;
        continue;
      }
      if (letter === parameterDescription) this.#describes = Math.max(0, this.#describes - 1);
      const taken = Math.min(size, data.length - at);
      this.#passing = size - taken;
      at += taken;
    }
    this.#held = data.subarray(at);
    return at === data.length ? data : data.subarray(0, at);
  }

  /**
   * What the driver receives once its statements have failed: the rest of a message that it has in part, and
   * a `CommandComplete`. Without it the first row of the next connection would follow the rows of this one.
   */
  conclusion(): Buffer {
    return Buffer.concat([Buffer.alloc(this.#passing), commandComplete]);
  }

  /** Reads a complete message. @returns whether the driver gets it */
  #accept(letter: number, body: Buffer): boolean {
    if (letter === backendKey) this.pid = body.readUInt32BE(0);
    else if (letter === errorResponse) {
      this.fatal = fatalOf(body);
      if (isRefusedWrite(body)) this.refusedAt = this.heardAt;
      this.#describes = Math.max(0, this.#describes - 1);
    } else {
      this.isTransactionOpen = body[0] !== idle;
      if (this.isStarting) this.isStarting = false;
      else this.#syncs = Math.max(0, this.#syncs - 1);
    }
    return this.fatal === undefined;
  }

  /**
   * Bytes that must have arrived before a message is passed on. A statement's error is passed on together
   * with the `ReadyForQuery` that follows it.
   */
  #needed(letter: number, data: Buffer, at: number, size: number): number {
    if (letter !== errorResponse || this.#syncs === 0 || at + size > data.length) return size;
    return fatalOf(data.subarray(at + headBytes, at + size)) === undefined ? withReady(data, at) : size;
  }
}

/** Bytes from an error to the end of the `ReadyForQuery` that follows it; infinite until that has arrived. */
function withReady(data: Buffer, from: number): number {
  let at = from;
  while (data.length - at >= headBytes) {
    const letter = data[at];
    at += 1 + data.readUInt32BE(at + 1);
    if (letter === ready) return at - from;
  }
  return Number.POSITIVE_INFINITY;
}
