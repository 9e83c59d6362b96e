import type { Arriving } from './body-reader.ts';
import { type PartHeaders, parsePartHeaders } from './part-headers.ts';

/** One part of a form. Its body can be read once, before the next part is requested. */
export interface FormPart extends PartHeaders {
  readonly body: AsyncIterable<Buffer>;
}

/**
 * The form violates RFC 7578 or ends before its closing delimiter. The message may be shown to the sender.
 */
export class MalformedForm extends Error {
  override readonly name = 'MalformedForm';
}

/** Maximum bytes of one part's headers. */
const maxHeaderBytes = 16 * 1024;
/** Maximum blanks between a boundary and the end of its line. Hardly anybody writes one. */
const maxBlanks = 1024;
const [cr, lf, dash, space, tab] = [13, 10, 45, 32, 9];
const endOfHeaders = Buffer.from('\r\n\r\n');

/**
 * Reads a `multipart/form-data` body part by part, and takes no more from its sender than is read. The pieces
 * of a body are the buffers that arrived and are never overwritten. What was not read of a part is skipped
 * when the next one is requested. We do not use a parser from npm, because of what they do to files: busboy
 * drops the parameters of the media type, @fastify/busboy reuses a buffer before a slow reader has read it,
 * and multipasta rejects names beyond Latin-1.
 * @param boundary from the Content-Type, without the hyphens that precede it in the body
 * @throws MalformedForm, from a part's `body` as well; and what `source` throws
 */
export async function* readParts(source: Arriving, boundary: string): AsyncGenerator<FormPart, void> {
  // A delimiter begins with a line break, which the first delimiter may omit.
  const form = new PartScanner(source, Buffer.from(`\r\n--${boundary}`), Buffer.from('\r\n'));
  await form.passOver();
  while (!form.ended) {
    const headers = parsePartHeaders(await form.readHeaders());
    if (headers === undefined) throw new MalformedForm('A part of the form has malformed headers');
    // RFC 7578 has no such encoding any more. A file would be stored in it, and nobody could read it.
    if (headers.isEncoded)
      throw new MalformedForm(
        'A part of the form has a Content-Transfer-Encoding. Send its bytes as they are',
      );
    yield { ...headers, body: form.body() };
    await form.passOver();
  }
}

class PartScanner {
  readonly #source: Arriving;
  readonly #delimiter: Buffer;
  /** Bytes that have arrived and have not been returned. */
  #pending: Buffer;
  /** Whether the next bytes are another part's headers, or the end. */
  #atDelimiter = false;
  ended = false;

  constructor(source: Arriving, delimiter: Buffer, seed: Buffer) {
    this.#source = source;
    this.#delimiter = delimiter;
    this.#pending = seed;
  }

  /** Skips to the next delimiter. */
  async passOver(): Promise<void> {
    for await (const _chunk of this.body()) void _chunk;
    this.#atDelimiter = false;
  }

  /** The bytes up to the next delimiter. A reader that stops may continue with another call. */
  async *body(): AsyncGenerator<Buffer, void> {
    let from = 0;
    while (!this.#atDelimiter) {
      const at = this.#pending.indexOf(this.#delimiter, from);
      const isDelimiter = at < 0 ? undefined : this.#isDelimiter(at);
      if (isDelimiter === false) {
        // Its first byte is data, and the rest is searched again.
        from = at + 1;
        continue;
      }
      const safe = at < 0 ? this.#beginningOfDelimiter() : at;
      const chunk = this.#pending.subarray(0, safe);
      if (isDelimiter === true) this.#passDelimiter(at);
      else this.#pending = this.#pending.subarray(safe);
      from = 0;
      if (safe > 0) yield chunk;
      if (isDelimiter === undefined) await this.#more();
    }
  }

  /** The lines up to an empty one. @throws MalformedForm when they are too long */
  async readHeaders(): Promise<Buffer> {
    for (;;) {
      const at = this.#pending.indexOf(endOfHeaders);
      const length = at < 0 ? this.#pending.length : at;
      if (length > maxHeaderBytes) throw new MalformedForm('A part of the form has headers without an end');
      if (at >= 0) {
        const headers = this.#pending.subarray(0, at);
        this.#pending = this.#pending.subarray(at + endOfHeaders.length);
        return headers;
      }
      await this.#more();
    }
  }

  /**
   * Index where the last bytes may begin a delimiter. It is mostly the end, so that the next piece need not
   * be concatenated.
   */
  #beginningOfDelimiter(): number {
    const { length } = this.#pending;
    let at = this.#pending.indexOf(cr, Math.max(0, length - this.#delimiter.length + 1));
    while (at >= 0 && !this.#pending.subarray(at).equals(this.#delimiter.subarray(0, length - at)))
      at = this.#pending.indexOf(cr, at + 1);
    return at < 0 ? length : at;
  }

  /**
   * A line of a file may begin with the boundary. It is a delimiter only when its line ends there, after a
   * few blanks at most. Undefined: more bytes have to arrive first.
   */
  #isDelimiter(at: number): boolean | undefined {
    const end = this.#endOfBlanks(at);
    if (end - at - this.#delimiter.length > maxBlanks) return false;
    const [first, second] = [this.#pending[end], this.#pending[end + 1]];
    if (first !== undefined && first !== cr && first !== dash) return false;
    if (first === undefined || second === undefined) return undefined;
    return first === cr ? second === lf : second === dash;
  }

  #endOfBlanks(at: number): number {
    let end = at + this.#delimiter.length;
    while (this.#pending[end] === space || this.#pending[end] === tab) end += 1;
    return end;
  }

  #passDelimiter(at: number): void {
    const end = this.#endOfBlanks(at);
    this.ended = this.#pending[end] === dash;
    // The line break is left in place: a part without headers consists of an empty line.
    this.#pending = this.#pending.subarray(end);
    this.#atDelimiter = true;
  }

  async #more(): Promise<void> {
    const chunk = await this.#source.next();
    if (chunk === undefined) throw new MalformedForm('The form ends before its closing delimiter');
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
  }
}
