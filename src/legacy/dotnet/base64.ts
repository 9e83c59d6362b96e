const space = /[ \t\r\n]+/g;
/** Characters that are decoded together. Lines of 76 would otherwise cost one write to disk each. */
const batch = 64 * 1024;
const alphabet = /^[A-Za-z0-9+/]*$/;

/** A character's value. 64: padding. 65: not base64. */
const values = new Uint8Array(128).fill(65);
for (const [value, char] of [
  ...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=',
].entries()) {
  values[char.charCodeAt(0)] = value;
}
const padding = 64;

/**
 * Decodes base64 as .NET does, piece by piece. Spaces, tabs and line breaks are allowed anywhere, padding is
 * required, and the URL-safe alphabet is not allowed. `Buffer` alone would ignore invalid characters.
 */
export class Base64Decoder {
  #pending = '';
  #rest = '';
  #ended = false;
  #valid = true;
  readonly #write: (bytes: Buffer) => void;
  readonly #blocks: boolean;

  /**
   * @param write called with decoded bytes, in order, for about 64 Ki characters at a time. Nothing is
   *   written from the first invalid batch on.
   * @param blocks `blocks` allows padding in any group of four, as `XmlDictionaryReader` does; `whole` allows
   *   it in the last one only, as `Convert.FromBase64String` does
   */
  constructor(write: (bytes: Buffer) => void, blocks: 'blocks' | 'whole' = 'whole') {
    this.#write = write;
    this.#blocks = blocks === 'blocks';
  }

  /** Takes a piece of the text, of any length. Never throws: `end` says whether it was valid. */
  push(piece: string): void {
    this.#pending += piece;
    if (this.#pending.length >= batch) this.#decode();
  }

  #decode(): void {
    const text = this.#rest + this.#pending.replace(space, '');
    this.#pending = '';
    if (!this.#valid) return;
    const length = text.length - (text.length % 4);
    this.#rest = text.slice(length);
    if (length === 0) return;
    const groups = text.slice(0, length);
    const bytes = groups.includes('=') ? this.#padded(groups) : this.#unpadded(groups);
    if (bytes) this.#write(bytes);
    else this.#valid = false;
  }

  #unpadded(groups: string): Buffer | undefined {
    return alphabet.test(groups) && !this.#ended ? Buffer.from(groups, 'base64') : undefined;
  }

  /** Decodes group by group. A group needs its first two characters, and only padding may follow padding. */
  #padded(groups: string): Buffer | undefined {
    const bytes = Buffer.allocUnsafe((groups.length / 4) * 3);
    let size = 0;
    for (let at = 0; at < groups.length; at += 4) {
      const [a, b] = [valueAt(groups, at), valueAt(groups, at + 1)];
      const [c, d] = [valueAt(groups, at + 2), valueAt(groups, at + 3)];
      if ((a | b) >= padding || c > padding || d > padding || (c === padding && d !== padding))
        return undefined;
      if (this.#ended) return undefined;
      bytes[size++] = (a << 2) | (b >> 4);
      if (c < padding) bytes[size++] = (b << 4) | (c >> 2);
      if (d < padding) bytes[size++] = (c << 6) | d;
      this.#ended = d === padding && !this.#blocks;
    }
    return bytes.subarray(0, size);
  }

  /**
   * Decodes the rest.
   * @returns whether the whole text was valid base64. If not, some of its bytes may have been written.
   */
  end(): boolean {
    this.#decode();
    return this.#valid && this.#rest === '';
  }
}

function valueAt(text: string, at: number): number {
  const code = text.charCodeAt(at);
  return code < 128 ? values[code]! : 65;
}

const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * The 16 bytes of a GUID, in the order of .NET's `Guid.ToByteArray`: the old service accepted a GUID where
 * binary data was expected. Undefined for any text but 32 hexadecimal digits with the usual four hyphens.
 */
export function guidBytes(text: string): Buffer | undefined {
  if (!guid.test(text)) return undefined;
  const bytes = Buffer.from(text.replaceAll('-', ''), 'hex');
  bytes.subarray(0, 4).reverse();
  bytes.subarray(4, 6).reverse();
  bytes.subarray(6, 8).reverse();
  return bytes;
}
