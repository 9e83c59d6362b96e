import { Base64Decoder, guidBytes } from './base64.ts';
import { JsonCharacters } from './json-characters.ts';
import {
  isNumberText,
  type Parsed,
  parseBooleanText,
  parseInt32,
  parseInt32Text,
  parseNumber,
} from './json-number.ts';
import { broken } from './json-state.ts';
import type { Spool, Spools } from './spool.ts';
import { isLetterOrDigit, isWhiteSpace, type TextSource } from './text-source.ts';

const code = (char: string) => char.charCodeAt(0);
const [quote, apostrophe, comma, slash, minus] = [code('"'), code("'"), code(','), code('/'), code('-')];
const [openBrace, closeBrace, openBracket, closeBracket, closeParen] = [...'{}[])'].map(code) as [
  number,
  number,
  number,
  number,
  number,
];

/**
 * Reads tokens, knowing what type is wanted next, as Json.NET 12 does: the same characters are fine where a string is
 * wanted and an error where an integer is. Errors leave it where Json.NET's reader would stand.
 */
export class JsonReader extends JsonCharacters {
  readonly #spools: Spools;

  constructor(source: TextSource, spools: Spools, textChars: number) {
    super(source, textChars);
    this.#spools = spools;
  }

  /** The next token of any type. @returns false at the end */
  *read(): Generator<void, boolean> {
    for (;;) {
      switch (this.state) {
        case 'Object':
        case 'ObjectStart':
          return yield* this.#readProperty();
        case 'PostValue':
          if (yield* this.#afterValue(false)) return true;
          break;
        case 'Finished': {
          const next = yield* this.skipSpace();
          if (next < 0) {
            this.setToken('None');
            return false;
          }
          if (next !== slash) throw broken;
          yield* this.#commentToken();
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

  *readString(): Generator<void, void> {
    const next = yield* this.#startOf();
    if (next === undefined) return;
    if (next === quote || next === apostrophe) {
      this.source.pos++;
      const text = yield* this.keptString(next);
      this.afterValue(true);
      return this.setToken('String', text, false);
    }
    if (next === minus && (yield* this.peek(1)) === code('I'))
      return yield* this.#constant('-Infinity', 'String');
    if (isNumberStart(next)) {
      const text = yield* this.numberText();
      this.afterValue(true);
      return isNumberText(text) ? this.setToken('String', text, false) : this.#badNumber();
    }
    if (next === code('t')) return yield* this.#constant('true', 'String');
    if (next === code('f')) return yield* this.#constant('false', 'String');
    if (next === code('I')) return yield* this.#constant('Infinity', 'String');
    if (next === code('N')) return yield* this.#constant('NaN', 'String');
    if (next === code('n')) return yield* this.#null();
    this.#unexpected();
  }

  *readInt32(): Generator<void, void> {
    const next = yield* this.#startOf();
    if (next === undefined) return;
    if (next === quote || next === apostrophe) {
      this.source.pos++;
      const text = yield* this.keptString(next);
      this.afterValue(true);
      if (text === '') return this.setToken('Null', undefined, false);
      const value = parseInt32Text(text);
      if (value !== undefined) return this.setToken('Integer', value, false);
      this.setToken('String', text, false);
      throw broken;
    }
    if (next === code('n')) return yield* this.#null();
    if (next === minus && (yield* this.peek(1)) === code('I')) return yield* this.#notFinite('-Infinity');
    if (next === code('I')) return yield* this.#notFinite('Infinity');
    if (next === code('N')) return yield* this.#notFinite('NaN');
    if (!isNumberStart(next)) this.#unexpected();
    const text = yield* this.numberText();
    this.afterValue(true);
    const value = parseInt32(text);
    if (value === undefined) this.#badNumber();
    this.setToken('Integer', value, false);
  }

  *readBoolean(): Generator<void, void> {
    const next = yield* this.#startOf();
    if (next === undefined) return;
    if (next === quote || next === apostrophe) {
      this.source.pos++;
      const text = yield* this.keptString(next);
      this.afterValue(true);
      if (text === '') return this.setToken('Null', undefined, false);
      const value = parseBooleanText(text);
      this.setToken(value === undefined ? 'String' : 'Boolean', value ?? text, false);
      if (value === undefined) throw broken;
      return;
    }
    if (next === code('n')) return yield* this.#null();
    if (isNumberStart(next)) {
      yield* this.#number();
      return this.setToken('Boolean', this.value !== 0, false);
    }
    if (next !== code('t') && next !== code('f')) this.#unexpected();
    const value = next === code('t');
    if (!(yield* this.word(String(value)))) throw broken;
    this.setToken('Boolean', value);
  }

  /** Base64, an array of bytes, or an object that wraps one of them. The value is a `Spool`. */
  *readBytes(): Generator<void, void> {
    let wrapped = false;
    for (;;) {
      const next = yield* this.#startOf();
      if (next === undefined) return;
      if (next === quote || next === apostrophe) {
        this.source.pos++;
        const data = yield* this.#base64(next);
        if (wrapped) {
          if (!(yield* this.read()) || this.token !== 'EndObject') throw broken;
          this.setToken('Bytes', data, false);
        }
        return;
      }
      if (next === openBracket) {
        this.source.pos++;
        this.setToken('StartArray');
        return yield* this.#byteArray();
      }
      if (next === code('n')) return yield* this.#null();
      if (next !== openBrace) this.#unexpected();
      this.source.pos++;
      this.setToken('StartObject');
      yield* this.#intoWrapper();
      wrapped = true;
    }
  }

  /** Skips what is inside the current token. */
  *skip(): Generator<void, void> {
    if (this.token === 'PropertyName') yield* this.read();
    if (this.token !== 'StartObject' && this.token !== 'StartArray' && this.token !== 'StartConstructor')
      return;
    const { depth } = this;
    while ((yield* this.read()) && depth < this.depth);
  }

  /**
   * Moves to the first character of a value. @returns its code; `undefined` when there is none: the token tells
   * whether the array or the text has ended
   */
  *#startOf(): Generator<void, number | undefined> {
    if (this.state === 'Object' || this.state === 'ObjectStart') throw broken;
    if (this.state === 'PostValue' && (yield* this.#afterValue(true))) return undefined;
    const finished = (this.state as string) === 'Finished';
    for (;;) {
      const next = yield* this.skipSpace();
      if (next < 0 || finished) {
        if (next >= 0 && next !== slash) throw broken;
        if (next === slash) yield* this.comment();
        this.setToken('None', undefined, false);
        return undefined;
      }
      if (next === slash) {
        yield* this.comment();
      } else if (next === comma) {
        if (this.state !== 'PostValue') {
          // Counts as a value, and the comma is read again.
          this.setToken('Undefined');
          throw broken;
        }
        this.source.pos++;
        this.afterComma();
      } else if (next === closeBracket) {
        this.source.pos++;
        if (!this.inArray) throw broken;
        this.setToken('EndArray');
        return undefined;
      } else {
        return next;
      }
    }
  }

  /** After a value: the end of its container, a comma, or a comment. @returns whether that made a token */
  *#afterValue(ignoreComments: boolean): Generator<void, boolean> {
    for (;;) {
      const next = yield* this.skipSpace();
      if (next < 0) {
        this.state = 'Finished';
        return false;
      }
      if (next === slash) {
        if (!ignoreComments) {
          yield* this.#commentToken();
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
    const next = yield* this.skipSpace();
    if (next < 0) return false;
    if (next === slash) {
      yield* this.#commentToken();
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
    if ((yield* this.skipSpace()) !== code(':')) throw broken;
    this.source.pos++;
    this.setToken('PropertyName', name);
    return true;
  }

  *#readValue(): Generator<void, boolean> {
    const next = yield* this.skipSpace();
    if (next < 0) return false;
    switch (String.fromCharCode(next)) {
      case '"':
      case "'":
        this.source.pos++;
        this.#quoted(yield* this.keptString(next));
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
        yield* this.#commentToken();
        return true;
      default:
        yield* this.#readBareValue(next);
        return true;
    }
  }

  *#readBareValue(next: number): Generator<void, void> {
    switch (String.fromCharCode(next)) {
      case 't':
        return yield* this.#constant('true', 'Boolean', true);
      case 'f':
        return yield* this.#constant('false', 'Boolean', false);
      case 'u':
        return yield* this.#constant('undefined', 'Undefined', undefined);
      case 'N':
        return yield* this.#constant('NaN', 'Float', Number.NaN);
      case 'I':
        return yield* this.#constant('Infinity', 'Float', Number.POSITIVE_INFINITY);
      case 'n': {
        const second = yield* this.peek(1);
        if (second === code('u')) return yield* this.#constant('null', 'Null', undefined);
        if (second === code('e')) return yield* this.#constructorStart();
        if (second < 0) this.source.pos++;
        throw broken;
      }
    }
    if (next === minus && (yield* this.peek(1)) === code('I')) {
      return yield* this.#constant('-Infinity', 'Float', Number.NEGATIVE_INFINITY);
    }
    if (!isNumberStart(next)) throw broken;
    yield* this.#number();
  }

  #quoted(text: string): void {
    this.afterValue(true);
    this.setToken('String', text, false);
  }

  *#number(): Generator<void, void> {
    const text = yield* this.numberText();
    this.afterValue(true);
    const parsed: Parsed = parseNumber(text);
    if (!parsed) this.#badNumber();
    this.setToken(parsed.token, parsed.value, false);
  }

  /** A number that is none still counts as a value, so that reading can go on behind it. */
  #badNumber(): never {
    this.setToken('Undefined', undefined, false);
    throw broken;
  }

  #unexpected(): never {
    this.source.pos++;
    throw broken;
  }

  *#constant(
    word: string,
    token: 'String' | 'Boolean' | 'Undefined' | 'Float' | 'Null',
    value: unknown = word,
  ): Generator<void, void> {
    if (!(yield* this.word(word))) throw broken;
    this.setToken(token, value);
  }

  *#notFinite(word: string): Generator<void, never> {
    yield* this.word(word);
    throw broken;
  }

  *#null(): Generator<void, void> {
    const second = yield* this.peek(1);
    if (second === code('u')) return yield* this.#constant('null', 'Null', undefined);
    this.source.pos = second < 0 ? this.source.text.length : this.source.pos + 2;
    throw broken;
  }

  *#commentToken(): Generator<void, void> {
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

  *#base64(end: number): Generator<void, Spool> {
    const spool = this.#spools.create();
    const decoder = new Base64Decoder((bytes) => spool.write(bytes));
    let [length, head] = [0, ''];
    yield* this.string(end, (piece) => {
      length += piece.length;
      if (head.length <= 36) head += piece.slice(0, 37);
      decoder.push(piece);
    });
    this.afterValue(true);
    const guid = length === 36 ? guidBytes(head) : undefined;
    const valid = decoder.end();
    spool.end();
    if (guid) return this.#wholeSpool(guid);
    if (!valid) throw broken;
    this.setToken('Bytes', spool, false);
    return spool;
  }

  #wholeSpool(bytes: Buffer): Spool {
    const spool = this.#spools.create();
    spool.write(bytes);
    spool.end();
    this.setToken('Bytes', spool, false);
    return spool;
  }

  *#byteArray(): Generator<void, void> {
    const spool = this.#spools.create();
    let bytes: number[] = [];
    for (;;) {
      if (!(yield* this.read())) this.setToken('None');
      if (this.token === 'Comment') continue;
      if (this.token === 'EndArray') break;
      const value = this.value as number;
      if (this.token !== 'Integer' || value < 0 || value > 255) throw broken;
      if (bytes.push(value) === 4096) {
        spool.write(Buffer.from(bytes));
        bytes = [];
      }
    }
    spool.write(Buffer.from(bytes));
    spool.end();
    this.setToken('Bytes', spool, false);
  }

  /** `{"$type":"System.Byte[], mscorlib","$value":`: how Json.NET wraps bytes whose type is told. */
  *#intoWrapper(): Generator<void, void> {
    for (const expected of ['$type', 'System.Byte[]', '$value']) {
      if (!(yield* this.read()) || !String(this.value).startsWith(expected)) throw broken;
    }
  }
}

function isNumberStart(next: number): boolean {
  return (next >= 0x30 && next <= 0x39) || next === minus || next === 0x2e;
}

function isNameStart(next: number): boolean {
  return isLetterOrDigit(next) || next === code('_') || next === code('$');
}

function endToken(next: number): 'EndObject' | 'EndArray' | 'EndConstructor' | undefined {
  if (next === closeBrace) return 'EndObject';
  if (next === closeBracket) return 'EndArray';
  return next === closeParen ? 'EndConstructor' : undefined;
}
