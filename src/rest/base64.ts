const space = /[ \t\r\n]+/g;
/** Characters that are decoded at once. Lines of 76 make pieces so small that each would cost a write to the disk. */
const batch = 64 * 1024;
const alphabet = /^[A-Za-z0-9+/]*$/;

/**
 * Base64 as .NET's `Convert.FromBase64String` reads it, piece by piece: white space anywhere, padding required, no
 * URL-safe alphabet. `Buffer` alone would skip over whatever it does not know.
 */
export class Base64Decoder {
  #pending = '';
  #rest = '';
  #padding = 0;
  #valid = true;
  readonly #write: (bytes: Buffer) => void;

  constructor(write: (bytes: Buffer) => void) {
    this.#write = write;
  }

  push(piece: string): void {
    this.#pending += piece;
    if (this.#pending.length >= batch) this.#decode();
  }

  #decode(): void {
    const text = this.#pending.replace(space, '');
    this.#pending = '';
    if (!this.#valid) return;
    const equals = text.indexOf('=');
    const data = equals < 0 ? text : text.slice(0, equals);
    const padding = equals < 0 ? '' : text.slice(equals);
    if (!alphabet.test(data) || (data !== '' && this.#padding > 0)) {
      this.#valid = false;
      return;
    }
    for (const char of padding) if (char !== '=' || ++this.#padding > 2) this.#valid = false;

    const all = this.#rest + data;
    const whole = all.length - (all.length % 4);
    if (whole > 0) this.#write(Buffer.from(all.slice(0, whole), 'base64'));
    this.#rest = all.slice(whole);
  }

  /** @returns whether all of it was base64 */
  end(): boolean {
    this.#decode();
    if (!this.#valid) return false;
    if (this.#padding === 0) return this.#rest === '';
    if (this.#rest.length + this.#padding !== 4) return false;
    this.#write(Buffer.from(this.#rest, 'base64'));
    return true;
  }
}

const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The 16 bytes of a GUID as .NET orders them; the old service took one for binary data. */
export function guidBytes(text: string): Buffer | undefined {
  if (!guid.test(text)) return undefined;
  const bytes = Buffer.from(text.replaceAll('-', ''), 'hex');
  bytes.subarray(0, 4).reverse();
  bytes.subarray(4, 6).reverse();
  bytes.subarray(6, 8).reverse();
  return bytes;
}
