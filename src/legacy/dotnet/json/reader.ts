import { Base64Decoder, guidBytes } from '../base64.ts';
import type { Spool, Spools } from '../spool.ts';
import type { TextSource } from '../text-source.ts';
import { apostrophe, code, quote } from './codes.ts';
import { broken } from './state.ts';
import { JsonValues } from './values.ts';

/** Reads all that a NewMessagePost is made of: its files go into spools while they are being read. */
export class JsonReader extends JsonValues {
  readonly #spools: Spools;

  constructor(source: TextSource, spools: Spools, textChars: number) {
    super(source, textChars);
    this.#spools = spools;
  }

  /** Base64, an array of bytes, or an object that wraps one of them. The value is a `Spool`. */
  *readBytes(): Generator<void, void> {
    let wrapped = false;
    for (;;) {
      const next = yield* this.startOf();
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
      if (next === code('[')) {
        this.source.pos++;
        this.setToken('StartArray');
        return yield* this.#byteArray();
      }
      if (next === code('n')) return yield* this.nullWord();
      if (next !== code('{')) this.unexpected();
      this.source.pos++;
      this.setToken('StartObject');
      yield* this.#intoWrapper();
      wrapped = true;
    }
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
