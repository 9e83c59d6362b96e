import { isWhiteSpace } from '../character-classes.ts';
import type { TextSource } from '../text-source.ts';
import { closeBrace, closeBracket, code, comma, endToken, openBracket, quote } from './character-codes.ts';
import type { JsonCharacters } from './read-characters.ts';
import type { JsonState } from './reader-state.ts';

const colon = code(':');
const [zero, nine] = [code('0'), code('9')];
/** Any number with this many digits fits an `int`. */
const intDigits = 9;

/** Characters that commonly end a value. The other readers handle rarer ones. */
const isEnd = (next: number): boolean =>
  next === comma || next === closeBrace || next === closeBracket || isWhiteSpace(next);

/**
 * Reads single tokens without a generator, for what nearly all clients send: members and values that have
 * arrived completely and have no escapes or comments. A method that returns true has read one token, which is
 * then in the state. One that finds anything else, invalid text too, returns false without a token: it has
 * skipped at most white space and a comma, and the other readers go on from there.
 * @throws as `JsonState.setToken` does, for an end that does not match its container and for nesting that is
 *   too deep
 */
export class JsonFastPath {
  readonly #state: JsonState;
  readonly #characters: JsonCharacters;
  readonly #source: TextSource;

  constructor(state: JsonState, characters: JsonCharacters) {
    this.#state = state;
    this.#characters = characters;
    this.#source = characters.source;
  }

  /** Reads the next member's name, or the end of its object or list. */
  readMember(): boolean {
    if (this.readEnd()) return true;
    if (this.#state.current === 'PostValue' && !this.#comma()) return false;
    return (this.#state.current === 'Object' || this.#state.current === 'ObjectStart') && this.#name();
  }

  /** Reads the end of an object or list that has at least one member or item. */
  readEnd(): boolean {
    if (this.#state.current !== 'PostValue') return false;
    const end = endToken(this.#characters.skipBufferedSpace());
    if (end === undefined) return false;
    this.#source.pos++;
    this.#state.setToken(end);
    return true;
  }

  /** Reads the `[` of a list that is the value of a member or an item. */
  readListStart(): boolean {
    if (!this.#isValueAhead() || this.#characters.skipBufferedSpace() !== openBracket) return false;
    this.#source.pos++;
    this.#state.setToken('StartArray');
    return true;
  }

  #comma(): boolean {
    if (this.#characters.skipBufferedSpace() !== comma) return false;
    this.#source.pos++;
    this.#state.afterComma();
    return true;
  }

  /**
   * Reads a value of this type: `string`, `int`, `int?` or `bool`. `null` counts as one, except for `bool`.
   * False for any other type.
   */
  readValue(expected: string): boolean {
    switch (expected) {
      case 'string':
        return this.#isValueAhead() && (this.#string() || this.#word('null', 'Null', undefined));
      case 'int':
      case 'int?':
        return this.#isValueAhead() && (this.#int() || this.#word('null', 'Null', undefined));
      case 'bool':
        return (
          this.#isValueAhead() &&
          (this.#word('true', 'Boolean', true) || this.#word('false', 'Boolean', false))
        );
      default:
        return false;
    }
  }

  /**
   * Whether a value may follow here. Reads the comma before it, in a list only: asked for a value after a
   * member, Json.NET takes the next member's name for it, as the other readers do.
   */
  #isValueAhead(): boolean {
    const isAfterValue = this.#state.current === 'PostValue';
    if (isAfterValue && !(this.#state.container === 'array' && this.#comma())) return false;
    return (
      this.#state.current === 'Property' ||
      this.#state.current === 'Array' ||
      this.#state.current === 'ArrayStart'
    );
  }

  #name(): boolean {
    const source = this.#source;
    if (this.#characters.skipBufferedSpace() !== quote) return false;
    const start = source.pos++;
    const name = this.#characters.bufferedString(quote);
    if (name === undefined || this.#characters.skipBufferedSpace() !== colon) {
      source.pos = start;
      return false;
    }
    source.pos++;
    this.#state.setToken('PropertyName', name);
    return true;
  }

  #string(): boolean {
    const source = this.#source;
    if (this.#characters.skipBufferedSpace() !== quote) return false;
    const start = source.pos++;
    const text = this.#characters.bufferedString(quote);
    if (text === undefined) {
      source.pos = start;
      return false;
    }
    this.#state.setToken('String', text);
    return true;
  }

  /** Reads a short integer without a leading zero, which would make it octal. */
  #int(): boolean {
    const source = this.#source;
    this.#characters.skipBufferedSpace();
    const { text, pos } = source;
    let end = pos;
    while (text.charCodeAt(end) >= zero && text.charCodeAt(end) <= nine) end++;
    const digits = end - pos;
    if (digits === 0 || digits > intDigits || (digits > 1 && text.charCodeAt(pos) === zero)) return false;
    if (!isEnd(text.charCodeAt(end))) return false;
    source.pos = end;
    this.#state.setToken('Integer', Number(text.slice(pos, end)));
    return true;
  }

  #word(word: string, token: 'Boolean' | 'Null', value: boolean | undefined): boolean {
    const source = this.#source;
    this.#characters.skipBufferedSpace();
    const end = source.pos + word.length;
    if (!source.text.startsWith(word, source.pos) || !isEnd(source.text.charCodeAt(end))) return false;
    source.pos = end;
    this.#state.setToken(token, value);
    return true;
  }
}
