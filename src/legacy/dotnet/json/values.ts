import { apostrophe, closeBracket, code, comma, isNumberStart, minus, quote, slash } from './codes.ts';
import { isNumberText, parseBooleanText, parseInt32, parseInt32Text } from './number.ts';
import { JsonPlain } from './plain.ts';
import { broken } from './state.ts';

/**
 * Reads a token knowing what type is wanted: the same characters can be a string, and an error where an
 * integer is due.
 */
export class JsonValues extends JsonPlain {
  *readString(): Generator<void, void> {
    const next = yield* this.startOf();
    if (next === undefined) return;
    if (next === quote || next === apostrophe) {
      this.source.pos++;
      const text = yield* this.keptString(next);
      this.afterValue(true);
      return this.setToken('String', text, false);
    }
    if (next === minus && (yield* this.peek(1)) === code('I'))
      return yield* this.constant('-Infinity', 'String');
    if (isNumberStart(next)) {
      const text = yield* this.numberText();
      this.afterValue(true);
      return isNumberText(text) ? this.setToken('String', text, false) : this.badNumber();
    }
    if (next === code('t')) return yield* this.constant('true', 'String');
    if (next === code('f')) return yield* this.constant('false', 'String');
    if (next === code('I')) return yield* this.constant('Infinity', 'String');
    if (next === code('N')) return yield* this.constant('NaN', 'String');
    if (next === code('n')) return yield* this.nullWord();
    this.unexpected();
  }

  *readInt32(): Generator<void, void> {
    const next = yield* this.startOf();
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
    if (next === code('n')) return yield* this.nullWord();
    if (next === minus && (yield* this.peek(1)) === code('I')) return yield* this.#notFinite('-Infinity');
    if (next === code('I')) return yield* this.#notFinite('Infinity');
    if (next === code('N')) return yield* this.#notFinite('NaN');
    if (!isNumberStart(next)) this.unexpected();
    const text = yield* this.numberText();
    this.afterValue(true);
    const value = parseInt32(text);
    if (value === undefined) this.badNumber();
    this.setToken('Integer', value, false);
  }

  *readBoolean(): Generator<void, void> {
    const next = yield* this.startOf();
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
    if (next === code('n')) return yield* this.nullWord();
    if (isNumberStart(next)) {
      yield* this.number();
      return this.setToken('Boolean', this.value !== 0, false);
    }
    if (next !== code('t') && next !== code('f')) this.unexpected();
    const value = next === code('t');
    if (!(yield* this.word(String(value)))) throw broken;
    this.setToken('Boolean', value);
  }

  /**
   * Moves to the first character of a value. @returns its code; `undefined` when there is none: the token
   * tells whether the array or the text has ended
   */
  protected *startOf(): Generator<void, number | undefined> {
    if (this.state === 'Object' || this.state === 'ObjectStart') throw broken;
    if (this.state === 'PostValue' && (yield* this.closeOrComma(true))) return undefined;
    const finished = (this.state as string) === 'Finished';
    for (;;) {
      const next = this.ahead() || (yield* this.skipSpace());
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

  *#notFinite(word: string): Generator<void, never> {
    yield* this.word(word);
    throw broken;
  }

  protected unexpected(): never {
    this.source.pos++;
    throw broken;
  }
}
