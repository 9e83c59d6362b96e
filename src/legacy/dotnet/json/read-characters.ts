import { TooLarge } from '../body-limits.ts';
import { isLetterOrDigit, isWhiteSpace } from '../character-classes.ts';
import type { TextSource } from '../text-source.ts';
import { broken } from './reader-state.ts';

const quote = 0x22;
const apostrophe = 0x27;
const slash = 0x2f;
const backslash = 0x5c;
const stringEnd = { [quote]: /["\\]/g, [apostrophe]: /['\\]/g } as Record<number, RegExp>;

/**
 * Reads characters as Json.NET does: both kinds of quotes, unquoted names, comments and escapes. The
 * generators yield when they need more text.
 * @throws the error `broken` of `reader-state.ts` for a text that Json.NET rejects or that ends too soon
 */
export class JsonCharacters {
  readonly source: TextSource;
  readonly #textChars: number;

  /** @param textChars longest text to return, in UTF-16 units; a longer one throws TooLarge */
  constructor(source: TextSource, textChars: number) {
    this.source = source;
    this.#textChars = textChars;
  }

  /**
   * The code of the next character, or of the one `ahead` places after it; -1 at the end of the text. Reads
   * nothing.
   */
  *peek(ahead = 0): Generator<void, number> {
    const { source } = this;
    const at = source.pos + ahead;
    if (at < source.text.length) return source.text.charCodeAt(at);
    return (yield* source.has(ahead)) ? source.text.charCodeAt(source.pos + ahead) : -1;
  }

  /**
   * Skips white space, and NUL characters as Json.NET does, in the text that has arrived.
   * @returns the next character's code; it is not read. 0 when more text is needed: then call `skipSpace`, a
   *   generator, which costs more than all of this.
   */
  skipBufferedSpace(): number {
    const { source } = this;
    const { text } = source;
    for (; source.pos < text.length; source.pos++) {
      const code = text.charCodeAt(source.pos);
      if (code !== 0 && !isWhiteSpace(code)) return code;
    }
    return 0;
  }

  /**
   * Skips white space and NUL characters.
   * @returns the next character's code, -1 at the end; it is not read
   */
  *skipSpace(): Generator<void, number> {
    for (;;) {
      const code = yield* this.peek();
      if (code !== 0 && !isWhiteSpace(code)) return code;
      this.source.pos++;
    }
  }

  /**
   * Reads a string of any length from after its opening quote to after its closing one, and passes on its
   * pieces with their escapes resolved.
   * @param end the code of the quote
   */
  *stringPieces(end: number, piece: (text: string) => void): Generator<void, void> {
    const { source } = this;
    const stop = stringEnd[end]!;
    for (;;) {
      if (!(yield* source.has(0))) throw broken;
      stop.lastIndex = source.pos;
      const at = stop.exec(source.text)?.index ?? source.text.length;
      if (at > source.pos) piece(source.text.slice(source.pos, at));
      source.pos = at;
      if (at === source.text.length) continue;
      source.pos++;
      if (source.text.charCodeAt(at) === end) return;
      piece(yield* this.#escape());
    }
  }

  /**
   * Reads a string from after its opening quote to after its closing one, if all of it has arrived, it has no
   * escape, and it is not too long.
   * @param end the code of the quote
   * @returns undefined otherwise, and then nothing is read
   */
  bufferedString(end: number): string | undefined {
    const { source } = this;
    const at = source.text.indexOf(end === quote ? '"' : "'", source.pos);
    if (at < 0 || at - source.pos > this.#textChars) return undefined;
    const whole = source.text.slice(source.pos, at);
    if (whole.includes('\\')) return undefined;
    source.pos = at + 1;
    return whole;
  }

  /**
   * Reads a string into memory, from after its opening quote to after its closing one.
   * @param end the code of the quote
   * @throws TooLarge
   */
  *string(end: number): Generator<void, string> {
    const whole = this.bufferedString(end);
    if (whole !== undefined) return whole;
    let text = '';
    yield* this.stringPieces(end, (piece) => {
      text += piece;
      if (text.length > this.#textChars) throw new TooLarge();
    });
    return text;
  }

  *#escape(): Generator<void, string> {
    const { source } = this;
    if (!(yield* source.has(0))) throw broken;
    const char = source.text[source.pos++]!;
    if (char === 'u') return yield* this.#unicode();
    const at = 'btnfr\\"\'/'.indexOf(char);
    if (at < 0) throw broken;
    return '\b\t\n\f\r\\"\'/'[at]!;
  }

  /** Reads the digits after `\u`. Unpaired surrogates become U+FFFD. */
  *#unicode(): Generator<void, string> {
    let text = '';
    let code = yield* this.#hex();
    for (;;) {
      if (code < 0xd800 || code > 0xdfff) return text + String.fromCharCode(code);
      if (code >= 0xdc00) return `${text}\ufffd`;
      if ((yield* this.peek()) !== backslash || (yield* this.peek(1)) !== 0x75) return `${text}\ufffd`;
      // Json.NET looks three characters ahead here. A text that ends sooner is invalid anyway.
      this.source.pos += 2;
      const next = yield* this.#hex();
      if (next >= 0xdc00 && next <= 0xdfff) return text + String.fromCharCode(code, next);
      text += '\ufffd';
      code = next;
    }
  }

  *#hex(): Generator<void, number> {
    const { source } = this;
    if (!(yield* source.has(3))) throw broken;
    const digits = source.text.slice(source.pos, source.pos + 4);
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw broken;
    source.pos += 4;
    return Number.parseInt(digits, 16);
  }

  /** Reads a comment, from its first slash to its end. A line comment ends before the line break. */
  *comment(): Generator<void, void> {
    const { source } = this;
    source.pos++;
    const kind = yield* this.peek();
    // Json.NET needs one character more than the comment has: `//` at the very end is an error.
    if ((yield* this.peek(1)) < 0 || (kind !== 0x2a && kind !== slash)) throw broken;
    source.pos++;
    const stop = kind === slash ? /[\r\n]/g : /\*/g;
    for (;;) {
      if (!(yield* source.has(0))) {
        if (kind === slash) return;
        throw broken;
      }
      stop.lastIndex = source.pos;
      const at = stop.exec(source.text)?.index ?? source.text.length;
      source.pos = at;
      if (at === source.text.length) continue;
      if (kind === slash) return;
      source.pos++;
      if ((yield* this.peek()) === slash) {
        source.pos++;
        return;
      }
    }
  }

  /** Reads a name without quotes, up to white space, a NUL or a colon. */
  *unquotedName(): Generator<void, string> {
    let text = '';
    for (;;) {
      const code = yield* this.peek();
      if (code < 0) throw broken;
      if (isLetterOrDigit(code) || code === 0x5f || code === 0x24) {
        text += this.source.text[this.source.pos++];
        if (text.length > this.#textChars) throw new TooLarge();
      } else if (code === 0) {
        return text;
      } else if (isWhiteSpace(code) || code === 0x3a) {
        return text;
      } else {
        throw broken;
      }
    }
  }

  /**
   * Matches a word such as `true` or `null`, with a separator after it. The position advances as far as the
   * word matches.
   * @param inConstructor whether `)` is a separator, too
   * @returns whether the word was there; it throws if the text is shorter than the word
   */
  *word(expected: string, inConstructor: boolean): Generator<void, boolean> {
    const { source } = this;
    if (!(yield* source.has(expected.length - 1))) {
      source.pos = source.text.length;
      throw broken;
    }
    for (let i = 0; i < expected.length; i++) {
      if (source.text[source.pos + i] !== expected[i]) {
        source.pos += i;
        return false;
      }
    }
    source.pos += expected.length;
    const code = yield* this.peek();
    if (code <= 0 || isWhiteSpace(code) || code === 0x7d || code === 0x5d || code === 0x2c) return true;
    if (code === 0x29) return inConstructor;
    const next = code === slash ? yield* this.peek(1) : -1;
    return next === 0x2a || next === slash;
  }

  /**
   * Reads the text of a number, up to a separator, without checking it: it may have any digits, letters and
   * signs that occur in numbers.
   */
  *numberText(): Generator<void, string> {
    const { source } = this;
    let text = '';
    for (;;) {
      numberRun.lastIndex = source.pos;
      const run = numberRun.exec(source.text)?.[0] ?? '';
      text += run;
      source.pos += run.length;
      if (text.length > this.#textChars) throw new TooLarge();
      const code = yield* this.peek();
      if (code <= 0) return text;
      const separates =
        isWhiteSpace(code) ||
        code === 0x2c ||
        code === 0x7d ||
        code === 0x5d ||
        code === 0x29 ||
        code === slash;
      if (separates) return text;
      if (!isNumberCharacter(code)) throw broken;
    }
  }
}

const numberRun = /[-+.0-9a-fA-FxX]+/y;

/** The characters of numbers such as `-1.5`, `0xAF` and `1e5`. */
function isNumberCharacter(code: number): boolean {
  if (code >= 0x30 && code <= 0x39) return true;
  if (code === 0x2d || code === 0x2b || code === 0x2e || code === 0x78 || code === 0x58) return true;
  return (code >= 0x41 && code <= 0x46) || (code >= 0x61 && code <= 0x66);
}
