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
 * Limits the message bodies, in bytes, that one request loads into memory. Bodies that are small are loaded
 * with their messages (`lend`) and do not count towards the limit. Others are read when a field asks for
 * them, and are counted (`spend` and the methods after it). Once the limit is exceeded, each of these throws
 * the same error.
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

  /** @param limit bytes that may be counted, inclusive: the size limit of a response */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * Runs a statement that may load bodies with their messages: at most 2 MiB, and 8 MiB in all such
   * statements of a request.
   * @param load gets the number of bytes that all its bodies together may have; 0 when the request has loaded
   *   8 MiB, or they are lent to statements that are under way
   * @param broughtBy counts the bytes of bodies in its result; the rest of what was lent is free again
   * @returns what `load` returns; rejects as it does
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
   * @param bytes size of the body in UTF-8
   * @throws ResponseTooLarge when the limit is exceeded
   */
  spend(id: number, bytes: number): void {
    if (!this.#asked.has(id)) {
      this.#asked.set(id, bytes);
      this.#spent += bytes;
    }
    this.assertWithin();
  }

  /**
   * Counts 1.5 times the bytes of a message's HTML, for what is made of it: safe HTML of about its length,
   * and text of about half. A second call for the same message counts nothing. The body itself is counted by
   * `spend`. This is not too much: when pages with 12, 19 and 28 MiB of bodies were read for the first time,
   * the process grew by 3.1 times their bytes.
   * @throws ResponseTooLarge when the limit is exceeded
   */
  spendOnHtml(id: number, bytes: number): void {
    if (!this.#parsed.has(id)) {
      this.#parsed.add(id);
      this.#spent += 1.5 * bytes;
    }
    this.assertWithin();
  }

  /**
   * Counts the memory that a loaded body takes beyond the bytes that `spend` counted for it. To be called
   * once for each body.
   * @throws ResponseTooLarge when the limit is exceeded
   */
  spendOnMemory(id: number, body: string): void {
    this.#spent += Math.max(0, memoryOf(body) - (this.#asked.get(id) ?? 0));
    this.assertWithin();
  }

  /**
   * Runs a function that makes a long text, after those of earlier calls have ended, and counts its result.
   * The limit is checked before it runs: its own result may exceed it.
   * @param bytesOf the bytes of what was made
   * @returns what `make` returns; rejects as it does
   * @throws ResponseTooLarge when the limit was exceeded before; then `make` is not called
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

  /** From now on, a body that was counted before is counted again. What was counted stays counted. */
  forget(): void {
    this.#asked.clear();
    this.#parsed.clear();
  }

  /**
   * To be called before more is read for an answer that may have to be refused. Counts nothing.
   * @throws ResponseTooLarge when the limit is exceeded
   */
  assertWithin(): void {
    if (this.#spent <= this.#limit) return;
    // One shared error: thousands of fields may fail with it, and each error would hold a stack.
    this.#refusal ??= new ResponseTooLarge();
    throw this.#refusal;
  }

  /**
   * Divides message ids, in their order, into batches whose bodies one statement reads: at most 4 MiB of the
   * bytes that `spend` counted, or one body that is larger.
   */
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
