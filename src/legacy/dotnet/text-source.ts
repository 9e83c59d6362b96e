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

/** .NET's `char.IsWhiteSpace`: like `\s`, but with U+0085 and without U+FEFF. */
export function isWhiteSpace(code: number): boolean {
  if (code < 0x80) return code === 0x20 || (code >= 0x09 && code <= 0x0d);
  if (code < 0x1680) return code === 0x85 || code === 0xa0;
  return (
    code === 0x1680 ||
    (code >= 0x2000 && code <= 0x200a) ||
    code === 0x2028 ||
    code === 0x2029 ||
    code === 0x202f ||
    code === 0x205f ||
    code === 0x3000
  );
}

const letterOrDigit = /[\p{L}\p{Nd}]/u;

/** .NET's `char.IsLetterOrDigit`. */
export function isLetterOrDigit(code: number): boolean {
  if (code < 0x80) {
    return (code >= 0x30 && code <= 0x39) || (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a);
  }
  return letterOrDigit.test(String.fromCharCode(code));
}
