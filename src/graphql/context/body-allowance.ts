import { ResponseTooLarge } from '../../platform/errors.ts';

/**
 * Bytes of bodies that one statement, and all statements of a request, may load before a field requests
 * them.
 */
const atOnce = 2 * 1024 * 1024;
const together = 4 * atOnce;
/** Bytes of bodies that one statement reads because fields request them. */
const inStatement = 4 * 1024 * 1024;

/** Bytes of a text in V8: two a character if any of them is beyond Latin-1, otherwise one. */
const memoryOf = (text: string): number => (/[^\0-\xff]/.test(text) ? 2 * text.length : text.length);

/**
 * Limits the message bodies, in bytes, that one request loads into memory. A page prefetches bodies as long
 * as their total is small. Others are read when a field asks for them, up to the size of a response.
 */
export class BodyAllowance {
  /** Bytes. */
  readonly #limit: number;
  /** Bytes of each body that is read. */
  readonly #asked = new Map<number, number>();
  /** Messages whose HTML is read. */
  readonly #parsed = new Set<number>();
  #spent = 0;
  #lent = 0;
  #refusal: ResponseTooLarge | undefined;
  #turn: Promise<void> = Promise.resolve();

  /** @param limit bytes of one response */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * Runs a statement that may load bodies.
   * @param load gets the number of bytes that all bodies together may have; 0 when a request has loaded
   *   enough
   * @param broughtBy counts the bytes of bodies in its result
   */
  async lend<T>(load: (bytes: number) => Promise<T>, broughtBy: (loaded: T) => number): Promise<T> {
    const bytes = Math.min(atOnce, together - this.#lent);
    this.#lent += bytes;
    let brought = 0;
    try {
      const loaded = await load(bytes);
      brought = broughtBy(loaded);
      return loaded;
    } finally {
      this.#lent -= bytes - brought;
    }
  }

  /**
   * Counts the body of a message that was not loaded with it. A second call for the same message counts
   * nothing.
   * @throws ResponseTooLarge
   */
  spend(id: number, bytes: number): void {
    if (!this.#asked.has(id)) {
      this.#asked.set(id, bytes);
      this.#spent += bytes;
    }
    this.assertWithin();
  }

  /**
   * Counts what is made of a message's HTML and is in memory beside it: safe HTML of about its length, and
   * text of about half. With the body itself that is 2.5 times its bytes. The process grew by 3.1 times the
   * bytes of bodies when pages of 12, 19 and 28 MiB of them were read for the first time, so this counts
   * nothing that is not used.
   * @throws ResponseTooLarge
   */
  spendOnHtml(id: number, bytes: number): void {
    if (!this.#parsed.has(id)) {
      this.#parsed.add(id);
      this.#spent += 1.5 * bytes;
    }
    this.assertWithin();
  }

  /**
   * Counts the memory of a body beyond its UTF-8 bytes.
   * @throws ResponseTooLarge
   */
  spendOnMemory(id: number, body: string): void {
    this.#spent += Math.max(0, memoryOf(body) - (this.#asked.get(id) ?? 0));
    this.assertWithin();
  }

  /**
   * Runs functions that make long texts, one after the other, while the limit is not reached.
   * @param bytesOf counts the bytes of what was made
   * @throws ResponseTooLarge
   */
  async inTurn<T>(make: () => Promise<T>, bytesOf: (made: T) => number): Promise<T> {
    const before = this.#turn;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#turn = promise;
    await before;
    try {
      this.assertWithin();
      const made = await make();
      this.#spent += bytesOf(made);
      return made;
    } finally {
      resolve();
    }
  }

  /**
   * Stops reading for an answer that will be refused.
   * @throws ResponseTooLarge when the limit is exceeded
   */
  assertWithin(): void {
    if (this.#spent <= this.#limit) return;
    // One shared error: thousands of fields may fail with it, and each error would hold a stack.
    this.#refusal ??= new ResponseTooLarge();
    throw this.#refusal;
  }

  /** Divides messages into batches whose bodies one statement reads: 4 MiB each, or one body. */
  *batchesOf(ids: readonly number[]): Generator<number[]> {
    let batch: number[] = [];
    let bytes = 0;
    for (const id of ids) {
      const more = this.#asked.get(id) ?? 0;
      if (batch.length > 0 && bytes + more > inStatement) {
        yield batch;
        batch = [];
        bytes = 0;
      }
      batch.push(id);
      bytes += more;
    }
    if (batch.length > 0) yield batch;
  }
}
