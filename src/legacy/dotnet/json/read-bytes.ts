import { Base64Decoder, guidBytes } from '../base64.ts';
import type { Spool, Spools } from '../file-spool.ts';
import type { TextSource } from '../text-source.ts';
import { apostrophe, code, quote } from './character-codes.ts';
import type { JsonCharacters } from './read-characters.ts';
import type { JsonTokens } from './read-tokens.ts';
import type { JsonValues } from './read-values.ts';
import { broken, type JsonState } from './reader-state.ts';

/**
 * Reads the value of a member of type `byte[]`. Its bytes are written to a spool while they are being read.
 */
export class JsonBytes {
  readonly #state: JsonState;
  readonly #characters: JsonCharacters;
  readonly #tokens: JsonTokens;
  readonly #values: JsonValues;
  readonly #source: TextSource;
  readonly #spools: Spools;

  constructor(
    state: JsonState,
    characters: JsonCharacters,
    tokens: JsonTokens,
    values: JsonValues,
    spools: Spools,
  ) {
    this.#state = state;
    this.#characters = characters;
    this.#tokens = tokens;
    this.#values = values;
    this.#source = characters.source;
    this.#spools = spools;
  }

  /**
   * Reads base64, a GUID, an array of bytes, or an object that wraps one of them. The token is then Bytes and
   * its value a complete `Spool`; Null for `null`; that of the end, or None, if there is no value. The
   * generator yields when it needs more text.
   * @throws the error `broken` for anything else
   */
  *read(): Generator<void, void> {
    let wrapped = false;
    for (;;) {
      const next = yield* this.#values.startOf();
      if (next === undefined) return;
      if (next === quote || next === apostrophe) {
        this.#source.pos++;
        const data = yield* this.#base64(next);
        if (wrapped) {
          if (!(yield* this.#tokens.read()) || this.#state.token !== 'EndObject') throw broken;
          this.#state.setToken('Bytes', data, false);
        }
        return;
      }
      if (next === code('[')) {
        this.#source.pos++;
        this.#state.setToken('StartArray');
        return yield* this.#byteArray();
      }
      if (next === code('n')) return yield* this.#tokens.nullWord();
      if (next !== code('{')) this.#values.unexpected();
      this.#source.pos++;
      this.#state.setToken('StartObject');
      yield* this.#intoWrapper();
      wrapped = true;
    }
  }

  *#base64(end: number): Generator<void, Spool> {
    const spool = this.#spools.create();
    const decoder = new Base64Decoder((bytes) => spool.write(bytes));
    let [length, head] = [0, ''];
    yield* this.#characters.stringPieces(end, (piece) => {
      length += piece.length;
      if (head.length <= 36) head += piece.slice(0, 37);
      decoder.push(piece);
    });
    this.#state.afterValue(true);
    const guid = length === 36 ? guidBytes(head) : undefined;
    const valid = decoder.end();
    spool.end();
    if (guid) return this.#wholeSpool(guid);
    if (!valid) throw broken;
    this.#state.setToken('Bytes', spool, false);
    return spool;
  }

  #wholeSpool(bytes: Buffer): Spool {
    const spool = this.#spools.create();
    spool.write(bytes);
    spool.end();
    this.#state.setToken('Bytes', spool, false);
    return spool;
  }

  *#byteArray(): Generator<void, void> {
    const spool = this.#spools.create();
    let bytes: number[] = [];
    for (;;) {
      if (!(yield* this.#tokens.read())) this.#state.setToken('None');
      if (this.#state.token === 'Comment') continue;
      if (this.#state.token === 'EndArray') break;
      const value = this.#state.value as number;
      if (this.#state.token !== 'Integer' || value < 0 || value > 255) throw broken;
      if (bytes.push(value) === 4096) {
        spool.write(Buffer.from(bytes));
        bytes = [];
      }
    }
    spool.write(Buffer.from(bytes));
    spool.end();
    this.#state.setToken('Bytes', spool, false);
  }

  /** Reads `{"$type":"System.Byte[], mscorlib","$value":`, by which Json.NET wraps typed bytes. */
  *#intoWrapper(): Generator<void, void> {
    for (const expected of ['$type', 'System.Byte[]', '$value']) {
      if (!(yield* this.#tokens.read()) || !String(this.#state.value).startsWith(expected)) throw broken;
    }
  }
}
