import type { TextSource } from '../text-source.ts';
import {
  apostrophe,
  closeBracket,
  code,
  comma,
  isNumberStart,
  minus,
  quote,
  slash,
} from './character-codes.ts';
import { isNumberText, parseBooleanText, parseInt32, parseInt32Text } from './parse-number.ts';
import type { JsonCharacters } from './read-characters.ts';
import type { JsonTokens } from './read-tokens.ts';
import { broken, type JsonState } from './reader-state.ts';

/**
 * Reads the next token as the type that the caller expects, as Json.NET's `ReadAsInt32` and its like do. Some
 * characters are valid for one type only: `Infinity` is a string, but no integer. The token and its value are
 * then in the state. `null` gives the token Null, and so does an empty quoted text for an integer or a
 * boolean. The generators yield when they need more text.
 * @throws broken, the error of `reader-state.ts`, when the characters are not valid for the type. The state
 *   may then have a token that was rejected. TooLarge for a longer string than may be kept.
 */
export class JsonValues {
  readonly #state: JsonState;
  readonly #characters: JsonCharacters;
  readonly #tokens: JsonTokens;
  readonly #source: TextSource;

  constructor(state: JsonState, characters: JsonCharacters, tokens: JsonTokens) {
    this.#state = state;
    this.#characters = characters;
    this.#tokens = tokens;
    this.#source = characters.source;
  }

  /** Reads a string, or a number or word where Json.NET takes it for one, with its spelling. */
  *readString(): Generator<void, void> {
    const next = yield* this.startOf();
    if (next === undefined) return;
    if (next === quote || next === apostrophe) {
      const text = yield* this.#quoted(next);
      return this.#state.setToken('String', text, false);
    }
    if (next === minus && (yield* this.#characters.peek(1)) === code('I'))
      return yield* this.#tokens.constant('-Infinity', 'String', '-Infinity');
    if (isNumberStart(next)) {
      const text = yield* this.#characters.numberText();
      this.#state.afterValue(true);
      return isNumberText(text) ? this.#state.setToken('String', text, false) : this.#tokens.badNumber();
    }
    if (next === code('t')) return yield* this.#tokens.constant('true', 'String', 'true');
    if (next === code('f')) return yield* this.#tokens.constant('false', 'String', 'false');
    if (next === code('I')) return yield* this.#tokens.constant('Infinity', 'String', 'Infinity');
    if (next === code('N')) return yield* this.#tokens.constant('NaN', 'String', 'NaN');
    if (next === code('n')) return yield* this.#tokens.nullWord();
    this.unexpected();
  }

  /** Reads an integer of 32 bits, quoted or not. */
  *readInt32(): Generator<void, void> {
    const next = yield* this.startOf();
    if (next === undefined) return;
    if (next === quote || next === apostrophe) {
      const text = yield* this.#quoted(next);
      if (text === '') return this.#state.setToken('Null', undefined, false);
      const value = parseInt32Text(text);
      if (value !== undefined) return this.#state.setToken('Integer', value, false);
      this.#state.setToken('String', text, false);
      throw broken;
    }
    if (next === code('n')) return yield* this.#tokens.nullWord();
    if (next === minus && (yield* this.#characters.peek(1)) === code('I'))
      return yield* this.#notFinite('-Infinity');
    if (next === code('I')) return yield* this.#notFinite('Infinity');
    if (next === code('N')) return yield* this.#notFinite('NaN');
    if (!isNumberStart(next)) this.unexpected();
    const text = yield* this.#characters.numberText();
    this.#state.afterValue(true);
    const value = parseInt32(text);
    if (value === undefined) this.#tokens.badNumber();
    this.#state.setToken('Integer', value, false);
  }

  /** Reads a boolean, quoted or not, or a number: 0 is false, any other true. */
  *readBoolean(): Generator<void, void> {
    const next = yield* this.startOf();
    if (next === undefined) return;
    if (next === quote || next === apostrophe) {
      const text = yield* this.#quoted(next);
      if (text === '') return this.#state.setToken('Null', undefined, false);
      const value = parseBooleanText(text);
      this.#state.setToken(value === undefined ? 'String' : 'Boolean', value ?? text, false);
      if (value === undefined) throw broken;
      return;
    }
    if (next === code('n')) return yield* this.#tokens.nullWord();
    if (isNumberStart(next)) {
      yield* this.#tokens.number();
      return this.#state.setToken('Boolean', this.#state.value !== 0, false);
    }
    if (next !== code('t') && next !== code('f')) this.unexpected();
    const value = next === code('t');
    if (!(yield* this.#characters.word(String(value), this.#state.inConstructor))) throw broken;
    this.#state.setToken('Boolean', value);
  }

  /**
   * Moves to the first character of a value, past commas, white space and comments.
   * @returns its code; the character is not read. `undefined` when there is no value: the token says whether
   *   the array or the text has ended.
   */
  *startOf(): Generator<void, number | undefined> {
    if (this.#state.current === 'Object' || this.#state.current === 'ObjectStart') throw broken;
    if (this.#state.current === 'PostValue' && (yield* this.#tokens.closeOrComma(true))) return undefined;
    const finished = (this.#state.current as string) === 'Finished';
    for (;;) {
      const next = this.#characters.skipBufferedSpace() || (yield* this.#characters.skipSpace());
      if (next < 0 || finished) {
        if (next >= 0 && next !== slash) throw broken;
        if (next === slash) yield* this.#characters.comment();
        this.#state.setToken('None', undefined, false);
        return undefined;
      }
      if (next === slash) {
        yield* this.#characters.comment();
      } else if (next === comma) {
        if (this.#state.current !== 'PostValue') {
          // A missing item counts as a value. The comma is read again.
          this.#state.setToken('Undefined');
          throw broken;
        }
        this.#source.pos++;
        this.#state.afterComma();
      } else if (next === closeBracket) {
        this.#source.pos++;
        if (!this.#state.inArray) throw broken;
        this.#state.setToken('EndArray');
        return undefined;
      } else {
        return next;
      }
    }
  }

  /** Reads a quoted text from its opening quote, as a value. */
  *#quoted(opening: number): Generator<void, string> {
    this.#source.pos++;
    const text = yield* this.#characters.string(opening);
    this.#state.afterValue(true);
    return text;
  }

  *#notFinite(word: string): Generator<void, never> {
    yield* this.#characters.word(word, this.#state.inConstructor);
    throw broken;
  }

  /** Rejects the next character: moves past it and throws `broken`. */
  unexpected(): never {
    this.#source.pos++;
    throw broken;
  }
}
