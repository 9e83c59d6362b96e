import { isUtf8 } from 'node:buffer';

/** The two character sets of the old formatters. Any other name means utf-8. `utf-16` is little-endian. */
export type Charset = 'utf-8' | 'utf-16';

/**
 * Decodes bytes piece by piece. Both methods throw on invalid bytes, except where .NET replaced them by
 * U+FFFD.
 */
export interface Decoder {
  /** Returns the text of a piece. A character that is split is kept for the next piece. */
  push(bytes: Buffer): string;
  /** Returns the rest of the text, which may be empty. */
  end(): string;
}

const invalid = new Error('the bytes are not valid in the declared character set');

/**
 * Strict UTF-8. Keeps only characters that are split between pieces, which makes it several times faster than
 * a streaming `TextDecoder`.
 */
class Utf8Decoder implements Decoder {
  #rest: Buffer | undefined;

  push(bytes: Buffer): string {
    const all = this.#rest ? Buffer.concat([this.#rest, bytes]) : bytes;
    const whole = wholeCharacters(all);
    this.#rest = whole < all.length ? all.subarray(whole) : undefined;
    const text = whole < all.length ? all.subarray(0, whole) : all;
    if (!isUtf8(text)) throw invalid;
    return text.toString('utf8');
  }

  end(): string {
    if (this.#rest) throw invalid;
    return '';
  }
}

/** Length of `bytes` without an incomplete character at the end. */
function wholeCharacters(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back]!;
    if (byte < 0x80) break;
    if (byte >= 0xc0) {
      const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return length > back ? bytes.length - back : bytes.length;
    }
  }
  return bytes.length;
}

class PlatformDecoder implements Decoder {
  readonly #decoder: TextDecoder;

  constructor(encoding: string, fatal: boolean) {
    this.#decoder = new TextDecoder(encoding, { fatal, ignoreBOM: true });
  }

  push(bytes: Buffer): string {
    return this.#decoder.decode(bytes, { stream: true });
  }

  end(): string {
    return this.#decoder.decode();
  }
}

class Utf32Decoder implements Decoder {
  #rest: Buffer = Buffer.alloc(0);
  readonly #bigEndian: boolean;

  constructor(bigEndian: boolean) {
    this.#bigEndian = bigEndian;
  }

  push(bytes: Buffer): string {
    const all = Buffer.concat([this.#rest, bytes]);
    const parts: string[] = [];
    let at = 0;
    for (; at + 4 <= all.length; at += 4) {
      const code = this.#bigEndian ? all.readUInt32BE(at) : all.readUInt32LE(at);
      const character = code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
      parts.push(character ? String.fromCodePoint(code) : '\ufffd');
    }
    this.#rest = all.subarray(at);
    return parts.join('');
  }

  end(): string {
    return this.#rest.length > 0 ? '\ufffd' : '';
  }
}

/** Chooses a decoder by the first four bytes. */
class SniffingDecoder implements Decoder {
  #head: Buffer | undefined;
  #decoder: Decoder | undefined;
  readonly #sniff: (head: Buffer) => { skip: number; decoder: Decoder };

  constructor(sniff: (head: Buffer) => { skip: number; decoder: Decoder }) {
    this.#sniff = sniff;
  }

  push(bytes: Buffer): string {
    if (this.#decoder) return this.#decoder.push(bytes);
    this.#head = this.#head === undefined ? bytes : Buffer.concat([this.#head, bytes]);
    return this.#head.length < 4 ? '' : this.#start(this.#head);
  }

  end(): string {
    const text = this.#decoder ? '' : this.#start(this.#head ?? Buffer.alloc(0));
    return text + this.#decoder!.end();
  }

  #start(head: Buffer): string {
    const { skip, decoder } = this.#sniff(head);
    this.#decoder = decoder;
    return decoder.push(skip === 0 ? head : head.subarray(skip));
  }
}

/**
 * Creates the decoder of a JSON body. A byte order mark of UTF-8, UTF-16 or UTF-32 takes precedence over the
 * declared character set, as with .NET's `StreamReader`, and is left out of the text. With a mark, invalid
 * bytes become U+FFFD, except in little-endian UTF-16 that was declared as utf-16; without one they throw.
 * The mark of little-endian UTF-32 begins with that of UTF-16, and is taken for it when utf-16 was declared.
 * The first text is returned when four bytes have arrived.
 */
export function jsonDecoder(charset: Charset): Decoder {
  return new SniffingDecoder((head) => {
    const [a, b, c, d] = head;
    if (a === 0xfe && b === 0xff) return { skip: 2, decoder: new PlatformDecoder('utf-16be', false) };
    if (a === 0xff && b === 0xfe) {
      if (charset === 'utf-8' && c === 0 && d === 0) return { skip: 4, decoder: new Utf32Decoder(false) };
      return { skip: 2, decoder: new PlatformDecoder('utf-16le', charset === 'utf-16') };
    }
    if (a === 0 && b === 0 && c === 0xfe && d === 0xff) return { skip: 4, decoder: new Utf32Decoder(true) };
    // UTF-8 with a mark replaces invalid bytes, as `StreamReader` does. Without a mark they are an error, as
    // in the formatter.
    if (a === 0xef && b === 0xbb && c === 0xbf)
      return { skip: 3, decoder: new PlatformDecoder('utf-8', false) };
    return {
      skip: 0,
      decoder: charset === 'utf-16' ? new PlatformDecoder('utf-16le', true) : new Utf8Decoder(),
    };
  });
}

/**
 * Creates the decoder of an XML body. It throws on invalid bytes, on fewer than four bytes, and when the body
 * begins with the byte order mark or the `<` of another character set than was declared. UTF-16 must begin
 * with its little-endian mark or `<`. A body that begins with a blank is decoded as utf-8 if that was
 * declared, so that UTF-16 becomes text with U+0000, which XML forbids. A mark is left out of the text.
 */
export function xmlDecoder(charset: Charset): Decoder {
  return new SniffingDecoder((head) => {
    if (head.length < 4) throw invalid;
    const [a, b] = head;
    const little = (a === 0xff && b === 0xfe) || (a === 0x3c && b === 0);
    const big = (a === 0xfe && b === 0xff) || (a === 0 && b === 0x3c);
    const marked = a === 0xef && head[1] === 0xbb && head[2] === 0xbf;
    if (charset === 'utf-16') {
      if (!little) throw invalid;
      return { skip: a === 0xff ? 2 : 0, decoder: new PlatformDecoder('utf-16le', true) };
    }
    if (little || big) throw invalid;
    return { skip: marked ? 3 : 0, decoder: new Utf8Decoder() };
  });
}

/**
 * Encodes text as the old service did. For utf-16, returns bytes: little-endian with a byte order mark. For
 * utf-8, returns the text itself, to be sent as UTF-8 without a mark.
 */
export function encode(text: string, charset: Charset): string | Buffer {
  return charset === 'utf-16' ? Buffer.from(`\ufeff${text}`, 'utf16le') : text;
}
