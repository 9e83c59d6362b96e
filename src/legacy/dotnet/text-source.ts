/**
 * Text that arrives in pieces, and the position of its reader. The readers are generators over it. They yield
 * when they have used up what has arrived, and are resumed when more has been fed. Complete and split bodies
 * take the same path.
 */
export class TextSource {
  /** The text that has arrived; `feed` drops what is before `pos`. */
  text = '';
  /** Index in `text` of the next character. Readers advance it. */
  pos = 0;
  #ended = false;
  #failure: Error | undefined;

  /** Appends a piece of text. Indices in `text` change, `pos` with them. */
  feed(piece: string): void {
    this.text = this.pos < this.text.length ? this.text.slice(this.pos) + piece : piece;
    this.pos = 0;
  }

  /** Marks the end of the text. */
  end(): void {
    this.#ended = true;
  }

  /**
   * Ends the text with an error, because the following bytes are no valid text. The first `has` that needs
   * more than has arrived throws it; later ones see the end.
   */
  fail(error: Error): void {
    this.#failure = error;
    this.#ended = true;
  }

  /**
   * Whether the character `ahead` places after the next one has arrived, so that `has`, a slower generator,
   * need not be called.
   */
  isThere(ahead: number): boolean {
    return this.pos + ahead < this.text.length;
  }

  /**
   * Waits until the character `ahead` places after the next one has arrived; yields while it has not.
   * @returns false when the text ends before it
   * @throws the error of `fail`, once
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
