import { isLetterOrDigit, isWhiteSpace } from '../text-source.ts';
import { JsonCharacters } from './characters.ts';
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
} from './codes.ts';
import { parseNumber } from './number.ts';
import { broken } from './state.ts';

/** Reads tokens of any type, as Json.NET 12 does. An error leaves it where Json.NET's reader would stand. */
export class JsonTokens extends JsonCharacters {
  /** The next token of any type. @returns false at the end */
  *read(): Generator<void, boolean> {
    for (;;) {
      switch (this.state) {
        case 'Object':
        case 'ObjectStart':
          return yield* this.#readProperty();
        case 'PostValue':
          if (yield* this.closeOrComma(false)) return true;
          break;
        case 'Finished': {
          const next = this.ahead() || (yield* this.skipSpace());
          if (next < 0) {
            this.setToken('None');
            return false;
          }
          if (next !== slash) throw broken;
          yield* this.commentToken();
          return true;
        }
        default:
          return yield* this.#readValue();
      }
    }
  }

  /** The next token that is no comment. */
  *readContent(): Generator<void, boolean> {
    do {
      if (!(yield* this.read())) return false;
    } while (this.token === 'None' || this.token === 'Comment');
    return true;
  }

  /** Skips what is inside the current token. */
  *skip(): Generator<void, void> {
    if (this.token === 'PropertyName') yield* this.read();
    if (this.token !== 'StartObject' && this.token !== 'StartArray' && this.token !== 'StartConstructor')
      return;
    const { depth } = this;
    while ((yield* this.read()) && depth < this.depth);
  }

  /** After a value: the end of its container, a comma, or a comment. @returns whether that made a token */
  protected *closeOrComma(ignoreComments: boolean): Generator<void, boolean> {
    for (;;) {
      const next = this.ahead() || (yield* this.skipSpace());
      if (next < 0) {
        this.state = 'Finished';
        return false;
      }
      if (next === slash) {
        if (!ignoreComments) {
          yield* this.commentToken();
          return true;
        }
        yield* this.comment();
        continue;
      }
      const end = endToken(next);
      if (end === undefined && next !== comma) throw broken;
      this.source.pos++;
      if (end !== undefined) this.setToken(end);
      else this.afterComma();
      return end !== undefined;
    }
  }

  *#readProperty(): Generator<void, boolean> {
    const next = this.ahead() || (yield* this.skipSpace());
    if (next < 0) return false;
    if (next === slash) {
      yield* this.commentToken();
      return true;
    }
    if (next === closeBrace) {
      // The token comes first here, so that an error leaves the brace unread.
      this.setToken('EndObject');
      this.source.pos++;
      return true;
    }
    let name: string;
    if (next === quote || next === apostrophe) {
      this.source.pos++;
      name = yield* this.keptString(next);
    } else {
      if (!isNameStart(next)) throw broken;
      name = yield* this.unquotedName();
    }
    if ((this.ahead() || (yield* this.skipSpace())) !== code(':')) throw broken;
    this.source.pos++;
    this.setToken('PropertyName', name);
    return true;
  }

  *#readValue(): Generator<void, boolean> {
    const next = this.ahead() || (yield* this.skipSpace());
    if (next < 0) return false;
    switch (String.fromCharCode(next)) {
      case '"':
      case "'":
        this.source.pos++;
        this.setToken('String', yield* this.keptString(next));
        return true;
      case '{':
        this.source.pos++;
        this.setToken('StartObject');
        return true;
      case '[':
        this.source.pos++;
        this.setToken('StartArray');
        return true;
      case ']':
      case ')':
        this.source.pos++;
        this.setToken(endToken(next)!);
        return true;
      case ',':
        // An empty place counts as a value; the comma itself is read after it.
        this.setToken('Undefined');
        return true;
      case '/':
        yield* this.commentToken();
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
        const second = yield* this.peek(1);
        if (second === code('u')) return yield* this.constant('null', 'Null', undefined);
        if (second === code('e')) return yield* this.#constructorStart();
        if (second < 0) this.source.pos++;
        throw broken;
      }
    }
    if (next === minus && (yield* this.peek(1)) === code('I')) {
      return yield* this.constant('-Infinity', 'Float', Number.NEGATIVE_INFINITY);
    }
    if (!isNumberStart(next)) throw broken;
    yield* this.number();
  }

  protected *number(): Generator<void, void> {
    const text = yield* this.numberText();
    this.afterValue(true);
    const parsed = parseNumber(text);
    if (!parsed) return this.badNumber();
    this.setToken(parsed.token, parsed.value, false);
  }

  /** A number that is none still counts as a value, so that reading can go on behind it. */
  protected badNumber(): never {
    this.setToken('Undefined', undefined, false);
    throw broken;
  }

  protected *constant(
    word: string,
    token: 'String' | 'Boolean' | 'Undefined' | 'Float' | 'Null',
    value: unknown = word,
  ): Generator<void, void> {
    if (!(yield* this.word(word))) throw broken;
    this.setToken(token, value);
  }

  protected *nullWord(): Generator<void, void> {
    const second = yield* this.peek(1);
    if (second === code('u')) return yield* this.constant('null', 'Null', undefined);
    this.source.pos = second < 0 ? this.source.text.length : this.source.pos + 2;
    throw broken;
  }

  protected *commentToken(): Generator<void, void> {
    yield* this.comment();
    this.setToken('Comment');
  }

  /** `new Date(`: JavaScript that Json.NET reads, and that nothing here has a use for. */
  *#constructorStart(): Generator<void, void> {
    if (!(yield* this.word('new'))) throw broken;
    yield* this.skipSpace();
    let next = yield* this.peek();
    while (next > 0 && isLetterOrDigit(next)) {
      this.source.pos++;
      next = yield* this.peek();
    }
    if (next < 0 || (next !== 0 && next !== code('(') && !isWhiteSpace(next))) throw broken;
    if ((yield* this.skipSpace()) !== code('(')) throw broken;
    this.source.pos++;
    this.setToken('StartConstructor', '');
  }
}
