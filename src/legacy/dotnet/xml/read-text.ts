import { TooLarge } from '../body-limits.ts';
import type { TextSource } from '../text-source.ts';
import {
  forbiddenCharacter,
  isForbiddenCharacter,
  malformed,
  referenceCode,
  waitForMore,
} from './scan-markup.ts';

const textEnd = /[<&\]\r]/g;
const spaces = /[ \t\r\n]+/y;
const [lessThan, ampersand, carriageReturn, bracket, lineFeed] = [0x3c, 0x26, 0x0d, 0x5d, 0x0a];
/** Maximum characters of all references in a document: the old service's limit for a request. */
const maxReferences = 4 << 20;
/** Characters of a text before they become a string. */
const units = new Uint16Array(8192);

/**
 * Reads the text between tags. Resolves references and normalizes line ends to LF.
 * @throws the error `malformed` for text that XML forbids; TooLarge when the references of the document have
 *   more than 4 Mi characters
 */
export class XmlText {
  readonly #source: TextSource;
  /**
   * Remaining characters of references. Only references get shorter when they are read, so limits of the read
   * text do not bound them.
   */
  #references = maxReferences;

  constructor(source: TextSource) {
    this.#source = source;
  }

  /**
   * Reads the text in an element as far as it has arrived and up to the next tag. Not to be called at a `<`.
   * @returns an empty string when more must arrive first, and then nothing is read
   */
  ahead(): string {
    return this.#plain() || this.#resolved();
  }

  /**
   * Reads text in an element as `ahead` does, waiting for more if needed. A text that ends here is malformed.
   * @returns a piece that is not empty
   */
  *inside(): Generator<void, string> {
    const source = this.#source;
    for (;;) {
      const run = this.ahead();
      if (run !== '') return run;
      // The next character or reference has not arrived completely.
      if (source.text.charCodeAt(source.pos) === ampersand) yield* waitForMore(source);
      else if (!(yield* source.has(2))) throw malformed;
    }
  }

  /** Reads text outside of the root, and returns it. Only white space may be there. */
  outside(): string {
    const source = this.#source;
    spaces.lastIndex = source.pos;
    const found = spaces.exec(source.text);
    if (!found) throw malformed;
    source.pos = spaces.lastIndex;
    return found[0];
  }

  #plain(): string {
    const source = this.#source;
    textEnd.lastIndex = source.pos;
    const end = textEnd.exec(source.text)?.index ?? source.text.length;
    const text = source.text.slice(source.pos, end);
    if (forbiddenCharacter.test(text)) throw malformed;
    source.pos = end;
    return text;
  }

  /** Reads character by character from a special one. @returns an empty string when more must arrive first */
  #resolved(): string {
    const source = this.#source;
    const { text } = source;
    let size = 0;
    while (source.pos < text.length && size < units.length - 1) {
      const code = text.charCodeAt(source.pos);
      if (code === lessThan) break;
      if (code === ampersand) {
        const resolved = this.#reference();
        if (resolved < 0) break;
        if (resolved > 0xffff) units[size++] = 0xd7c0 + (resolved >> 10);
        units[size++] = resolved > 0xffff ? 0xdc00 + (resolved & 0x3ff) : resolved;
        continue;
      }
      if (code === carriageReturn) {
        if (source.pos + 1 === text.length) break;
        source.pos += text.charCodeAt(source.pos + 1) === lineFeed ? 2 : 1;
        units[size++] = lineFeed;
        continue;
      }
      if (code === bracket) {
        if (source.pos + 2 >= text.length) break;
        if (text.startsWith(']]>', source.pos)) throw malformed;
      }
      if (isForbiddenCharacter(code)) throw malformed;
      source.pos++;
      units[size++] = code;
    }
    return Reflect.apply(String.fromCharCode, undefined, units.subarray(0, size));
  }

  /** @returns the code point, or -1 if its end has not arrived */
  #reference(): number {
    const source = this.#source;
    const end = source.text.indexOf(';', source.pos);
    if (end < 0) return -1;
    const code = referenceCode(source.text, source.pos + 1, end);
    this.#references -= end + 1 - source.pos;
    if (this.#references < 0) throw new TooLarge();
    source.pos = end + 1;
    return code;
  }
}
