import { isLetterOrDigit, isWhiteSpace } from '../character-classes.ts';
import type { TextSource } from '../text-source.ts';
import {
  apostrophe,
  closeBrace,
  code,
  comma,
  endToken,
  isNameStart,
  isNumberStart,
  minus,
  quote,
  slash,
} from './character-codes.ts';
import { parseNumber } from './parse-number.ts';
import type { JsonCharacters } from './read-characters.ts';
import { broken, type JsonState } from './reader-state.ts';

/**
 * Reads tokens of any type, as Json.NET 12 does. The token and its value are then in the state. The
 * generators yield when they need more text.
 * @throws the error `broken` of `reader-state.ts` for invalid text, and leaves the position where Json.NET's
 *   reader would be; TooLarge for a longer string than may be kept; EnoughErrors when the nesting is too deep
 *   to go on
 */
export class JsonTokens {
  readonly #state: JsonState;
  readonly #characters: JsonCharacters;
  readonly #source: TextSource;

  constructor(state: JsonState, characters: JsonCharacters) {
    this.#state = state;
    this.#characters = characters;
    this.#source = characters.source;
  }

  /**
   * Reads the next token; a comment is one.
   * @returns false at the end of the text
   */
  *read(): Generator<void, boolean> {
    for (;;) {
      switch (this.#state.current) {
        case 'Object':
        case 'ObjectStart':
          return yield* this.#readProperty();
        case 'PostValue':
          if (yield* this.closeOrComma(false)) return true;
          break;
        case 'Finished': {
          const next = this.#characters.skipBufferedSpace() || (yield* this.#characters.skipSpace());
          if (next < 0) {
            this.#state.setToken('None');
            return false;
          }
          if (next !== slash) throw broken;
          yield* this.comment();
          return true;
        }
        default:
          return yield* this.#readValue();
      }
    }
  }

  /**
   * Reads the next token that is not a comment.
   * @returns false at the end of the text
   */
  *readContent(): Generator<void, boolean> {
    do {
      if (!(yield* this.read())) return false;
    } while (this.#state.token === 'None' || this.#state.token === 'Comment');
    return true;
  }

  /**
   * Skips the value of the current token: to the end of the object, list or constructor that it begins, or of
   * the value of the member that it names. Any other token has nothing to skip.
   */
  *skip(): Generator<void, void> {
    if (this.#state.token === 'PropertyName') yield* this.read();
    if (
      this.#state.token !== 'StartObject' &&
      this.#state.token !== 'StartArray' &&
      this.#state.token !== 'StartConstructor'
    )
      return;
    const { depth } = this.#state;
    while ((yield* this.read()) && depth < this.#state.depth);
  }

  /**
   * Reads what follows a value: the end of its container, a comma, or a comment.
   * @param ignoreComments whether comments are skipped; otherwise a comment is a token
   * @returns true if a token was read, false after a comma and at the end of the text
   */
  *closeOrComma(ignoreComments: boolean): Generator<void, boolean> {
    for (;;) {
      const next = this.#characters.skipBufferedSpace() || (yield* this.#characters.skipSpace());
      if (next < 0) {
        this.#state.current = 'Finished';
        return false;
      }
      if (next === slash) {
        if (!ignoreComments) {
          yield* this.comment();
          return true;
        }
        yield* this.#characters.comment();
        continue;
      }
      const end = endToken(next);
      if (end === undefined && next !== comma) throw broken;
      this.#source.pos++;
      if (end !== undefined) this.#state.setToken(end);
      else this.#state.afterComma();
      return end !== undefined;
    }
  }

  *#readProperty(): Generator<void, boolean> {
    const next = this.#characters.skipBufferedSpace() || (yield* this.#characters.skipSpace());
    if (next < 0) return false;
    if (next === slash) {
      yield* this.comment();
      return true;
    }
    if (next === closeBrace) {
      // Set before the brace is read, so that an error leaves the brace unread.
      this.#state.setToken('EndObject');
      this.#source.pos++;
      return true;
    }
    let name: string;
    if (next === quote || next === apostrophe) {
      this.#source.pos++;
      name = yield* this.#characters.string(next);
    } else {
      if (!isNameStart(next)) throw broken;
      name = yield* this.#characters.unquotedName();
    }
    if ((this.#characters.skipBufferedSpace() || (yield* this.#characters.skipSpace())) !== code(':'))
      throw broken;
    this.#source.pos++;
    this.#state.setToken('PropertyName', name);
    return true;
  }

  *#readValue(): Generator<void, boolean> {
    const next = this.#characters.skipBufferedSpace() || (yield* this.#characters.skipSpace());
    if (next < 0) return false;
    switch (String.fromCharCode(next)) {
      case '"':
      case "'":
        this.#source.pos++;
        this.#state.setToken('String', yield* this.#characters.string(next));
        return true;
      case '{':
        this.#source.pos++;
        this.#state.setToken('StartObject');
        return true;
      case '[':
        this.#source.pos++;
        this.#state.setToken('StartArray');
        return true;
      case ']':
      case ')':
        this.#source.pos++;
        this.#state.setToken(endToken(next)!);
        return true;
      case ',':
        // A missing item counts as a value. The comma is read after it.
        this.#state.setToken('Undefined');
        return true;
      case '/':
        yield* this.comment();
        return true;
      default:
        yield* this.#readBareValue(next);
        return true;
    }
  }

  *#readBareValue(next: number): Generator<void, void> {
    switch (String.fromCharCode(next)) {
      case 't':
        return yield* this.constant('true', 'Boolean', true);
      case 'f':
        return yield* this.constant('false', 'Boolean', false);
      case 'u':
        return yield* this.constant('undefined', 'Undefined', undefined);
      case 'N':
        return yield* this.constant('NaN', 'Float', Number.NaN);
      case 'I':
        return yield* this.constant('Infinity', 'Float', Number.POSITIVE_INFINITY);
      case 'n': {
        const second = yield* this.#characters.peek(1);
        if (second === code('u')) return yield* this.constant('null', 'Null', undefined);
        if (second === code('e')) return yield* this.#constructorStart();
        if (second < 0) this.#source.pos++;
        throw broken;
      }
    }
    if (next === minus && (yield* this.#characters.peek(1)) === code('I')) {
      return yield* this.constant('-Infinity', 'Float', Number.NEGATIVE_INFINITY);
    }
    if (!isNumberStart(next)) throw broken;
    yield* this.number();
  }

  /** Reads an unquoted number as a token Integer or Float. */
  *number(): Generator<void, void> {
    const text = yield* this.#characters.numberText();
    this.#state.afterValue(true);
    const parsed = parseNumber(text);
    if (!parsed) return this.badNumber();
    this.#state.setToken(parsed.token, parsed.value, false);
  }

  /**
   * Rejects a number that was read: throws `broken`. The number counts as a value, Undefined, so that reading
   * can continue after it.
   */
  badNumber(): never {
    this.#state.setToken('Undefined', undefined, false);
    throw broken;
  }

  /** Reads this word, as a token with this value. */
  *constant(
    word: string,
    token: 'String' | 'Boolean' | 'Undefined' | 'Float' | 'Null',
    value: unknown,
  ): Generator<void, void> {
    if (!(yield* this.#characters.word(word, this.#state.inConstructor))) throw broken;
    this.#state.setToken(token, value);
  }

  /** Reads `null`. Other words that begin with `n` are errors, and the position moves as Json.NET's does. */
  *nullWord(): Generator<void, void> {
    const second = yield* this.#characters.peek(1);
    if (second === code('u')) return yield* this.constant('null', 'Null', undefined);
    this.#source.pos = second < 0 ? this.#source.text.length : this.#source.pos + 2;
    throw broken;
  }

  /** Reads a comment as a token, from its first slash. */
  *comment(): Generator<void, void> {
    yield* this.#characters.comment();
    this.#state.setToken('Comment');
  }

  /** Reads `new Date(`: Json.NET reads JavaScript constructors, though no member takes one. */
  *#constructorStart(): Generator<void, void> {
    if (!(yield* this.#characters.word('new', this.#state.inConstructor))) throw broken;
    yield* this.#characters.skipSpace();
    let next = yield* this.#characters.peek();
    while (next > 0 && isLetterOrDigit(next)) {
      this.#source.pos++;
      next = yield* this.#characters.peek();
    }
    if (next < 0 || (next !== 0 && next !== code('(') && !isWhiteSpace(next))) throw broken;
    if ((yield* this.#characters.skipSpace()) !== code('(')) throw broken;
    this.#source.pos++;
    this.#state.setToken('StartConstructor', '');
  }
}
