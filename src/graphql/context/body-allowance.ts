import { AnswerTooLarge } from '../../platform/errors.ts';

/** Bytes of bodies that one statement brings unasked, and that all statements of a request bring at once. */
const atOnce = 2 * 1024 * 1024;
const together = 8 * atOnce;

/**
 * Bytes of messages' bodies that one request may bring into memory. A page brings its bodies along as long as
 * they are short together; others are read when a field asks for them, as far as an answer can hold them.
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

  /** Has a statement run that brings so many bytes of bodies, or none. */
  async lend<T>(load: (bytes: number) => Promise<T>): Promise<T> {
    const bytes = Math.min(atOnce, together - this.#lent);
    this.#lent += bytes;
    try {
      return await load(bytes);
    } finally {
      this.#lent -= bytes;
    }
  }

  /** Of a message whose body was not brought along. @throws AnswerTooLarge */
  spend(id: number, bytes: number): void {
    if (this.#asked.has(id)) return;
    if (this.#spent + bytes > this.#limit) throw new AnswerTooLarge();
    this.#asked.add(id);
    this.#spent += bytes;
  }
}
