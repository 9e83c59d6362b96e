const space = 32;
const minus = 45;
const zero = 48;

/**
 * Reads the words of a row's first column (see statement.ts), one after the other. Each call reads the next
 * word, and the caller has to know its type: nothing is checked. Splitting the text and converting its parts
 * takes three times as long, which is a tenth of a page.
 */
export class WordReader {
  #text = '';
  #at = 0;

  /** Starts to read a column: the next word is the one after the row's kind, which is one letter. */
  begin(text: string): this {
    this.#text = text;
    this.#at = 2;
    return this;
  }

  /** A whole number. */
  number(): number {
    const text = this.#text;
    const isNegative = text.charCodeAt(this.#at) === minus;
    let value = 0;
    let at = isNegative ? this.#at + 1 : this.#at;
    for (; at < text.length; at += 1) {
      const unit = text.charCodeAt(at);
      if (unit === space) break;
      value = value * 10 + unit - zero;
    }
    this.#at = at + 1;
    return isNegative ? -value : value;
  }

  /** A text without spaces. */
  word(): string {
    const end = this.#text.indexOf(' ', this.#at);
    const word = this.#text.slice(this.#at, end < 0 ? undefined : end);
    this.#at += word.length + 1;
    return word;
  }

  /** A truth value: `t`, or `f`. */
  flag(): boolean {
    const isTrue = this.#text[this.#at] === 't';
    this.#at += 2;
    return isTrue;
  }

  /** An instant, in milliseconds since 1970. */
  instant(): Date {
    return new Date(this.number());
  }

  /** A whole number; null for `-`. */
  numberOrNull(): number | null {
    return this.#skipNone() ? null : this.number();
  }

  /** An instant; null for `-`. */
  instantOrNull(): Date | null {
    return this.#skipNone() ? null : this.instant();
  }

  /** A text without spaces; null for `-`. */
  wordOrNull(): string | null {
    return this.#skipNone() ? null : this.word();
  }

  #skipNone(): boolean {
    // A negative number has a digit after the minus.
    const next = this.#at + 1;
    const isNone =
      this.#text.charCodeAt(this.#at) === minus &&
      (next === this.#text.length || this.#text.charCodeAt(next) === space);
    if (isNone) this.#at += 2;
    return isNone;
  }
}
