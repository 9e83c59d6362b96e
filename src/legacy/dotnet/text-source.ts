/**
 * Text that arrives in pieces. The readers are generators over it. They yield when they have used up what has
 * arrived, and are resumed when more has been fed. Complete and split bodies take the same path.
 */
export class TextSource {
  text = '';
  /** Index in `text` of the next character. */
  pos = 0;
  #ended = false;
  #failure: Error | undefined;

  /** Appends a piece of text. */
  feed(piece: string): void {
    this.text = this.pos < this.text.length ? this.text.slice(this.pos) + piece : piece;
    this.pos = 0;
  }

  /** Marks the end of the text. */
  end(): void {
    this.#ended = true;
  }

  /**
   * Marks the following bytes as invalid text. The next `has` throws the error, and later ones see the end.
   */
  fail(error: Error): void {
    this.#failure = error;
    this.#ended = true;
  }

  /** Whether that character has arrived, so that `has`, a slower generator, need not be called. */
  isThere(ahead: number): boolean {
    return this.pos + ahead < this.text.length;
  }

  /**
   * Waits for the character `ahead` places after the next one.
   * @returns false at the end of the text
   */
  *has(ahead: number): Generator<void, boolean> {
    while (this.pos + ahead >= this.text.length) {
      if (this.#failure) {
        const failure = this.#failure;
        this.#failure = undefined;
        throw failure;
      }
      if (this.#ended) return false;
      yield;
    }
    return true;
  }
}
