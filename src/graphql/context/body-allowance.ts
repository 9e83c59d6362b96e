import { AnswerTooLarge } from '../../platform/errors.ts';

/** Bytes of bodies that one statement prefetches, and that all statements of a request prefetch at a time. */
const atOnce = 2 * 1024 * 1024;
const together = 8 * atOnce;

/**
 * Limits the message bodies, in bytes, that one request loads into memory. A page prefetches bodies as long
 * as their total is small. Others are read when a field asks for them, up to the size of an answer.
 */
export class BodyAllowance {
  /** Bytes. */
  readonly #limit: number;
  readonly #asked = new Set<number>();
  #spent = 0;
  #lent = 0;

  /** @param limit bytes of one answer */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Runs a statement that may prefetch this many bytes of bodies, possibly none. */
  async lend<T>(load: (bytes: number) => Promise<T>): Promise<T> {
    const bytes = Math.min(atOnce, together - this.#lent);
    this.#lent += bytes;
    try {
      return await load(bytes);
    } finally {
      this.#lent -= bytes;
    }
  }

  /** Counts a body that was not prefetched. @throws AnswerTooLarge */
  spend(id: number, bytes: number): void {
    if (this.#asked.has(id)) return;
    if (this.#spent + bytes > this.#limit) throw new AnswerTooLarge();
    this.#asked.add(id);
    this.#spent += bytes;
  }
}
