import type { Arriving } from './arriving.ts';
import { type PartHeaders, parsePartHeaders } from './part-headers.ts';

/** One part of a form, whose bytes are there to be read once, before the next part is asked for. */
export interface FormPart extends PartHeaders {
  readonly body: AsyncIterable<Buffer>;
}

/** The form breaks the rules of RFC 7578, or ends before its closing delimiter. Its sender may be told. */
export class MalformedForm extends Error {
  override readonly name = 'MalformedForm';
}

/** Bytes of one part's headers. */
const maxHeaderBytes = 16 * 1024;
const [cr, lf, dash, space, tab] = [13, 10, 45, 32, 9];
const endOfHeaders = Buffer.from('\r\n\r\n');

/**
 * Reads a `multipart/form-data` body part by part, pulling no more from its sender than is read. A part's
 * body is handed out as it arrived, in pieces that nobody writes to again. What of a part was not read is
 * passed over when the next one is asked for.
 *
 * Written here because of what the parsers on npm do to a file: busboy drops the parameters of its type,
 * @fastify/busboy hands out a buffer that it overwrites before a slow reader has read it, multipasta refuses
 * names beyond Latin-1.
 */
export async function* readParts(source: Arriving, boundary: string): AsyncGenerator<FormPart, void> {
  // A delimiter belongs to the line break before it; the first may have none.
  const form = new PartScanner(source, Buffer.from(`\r\n--${boundary}`), Buffer.from('\r\n'));
  await form.passOver();
  while (!form.ended) {
    const headers = parsePartHeaders(await form.readHeaders());
    if (headers === undefined) throw new MalformedForm('A part of the form has malformed headers');
    yield { ...headers, body: form.body() };
    await form.passOver();
  }
}

class PartScanner {
  readonly #source: Arriving;
  readonly #delimiter: Buffer;
  /** What has arrived and was not handed out. */
  #pending: Buffer;
  /** At a delimiter: what comes next is another part's headers, or nothing. */
  #atDelimiter = false;
  ended = false;

  constructor(source: Arriving, delimiter: Buffer, seed: Buffer) {
    this.#source = source;
    this.#delimiter = delimiter;
    this.#pending = seed;
  }

  /** Reads on to the next delimiter. */
  async passOver(): Promise<void> {
    for await (const _chunk of this.body()) void _chunk;
    this.#atDelimiter = false;
  }

  /** The bytes up to the next delimiter. Whoever stops reading in between may go on by another call. */
  async *body(): AsyncGenerator<Buffer, void> {
    while (!this.#atDelimiter) {
      const at = this.#pending.indexOf(this.#delimiter);
      if (at >= 0 && (await this.#isDelimiter(at))) {
        const rest = this.#pending.subarray(0, at);
        this.#passDelimiter(at);
        if (rest.length > 0) yield rest;
        return;
      }
      // Of what looks like a delimiter and is none, the first byte is data; the rest is looked at again.
      const safe = at >= 0 ? at + 1 : this.#beginningOfDelimiter();
      if (safe > 0) {
        const chunk = this.#pending.subarray(0, safe);
        this.#pending = this.#pending.subarray(safe);
        yield chunk;
      }
      if (at < 0) await this.#more();
    }
  }

  /** The lines up to an empty one. @throws MalformedForm when there are too many */
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
   * Where the last bytes may be the beginning of a delimiter; rarely before the end, so that what follows
   * need not be joined to them.
   */
  #beginningOfDelimiter(): number {
    const { length } = this.#pending;
    let at = this.#pending.indexOf(cr, Math.max(0, length - this.#delimiter.length + 1));
    while (at >= 0 && !this.#pending.subarray(at).equals(this.#delimiter.subarray(0, length - at)))
      at = this.#pending.indexOf(cr, at + 1);
    return at < 0 ? length : at;
  }

  /** A boundary that happens to begin some line of a file is data, unless its own line ends there. */
  async #isDelimiter(at: number): Promise<boolean> {
    for (;;) {
      let end = at + this.#delimiter.length;
      while (this.#pending[end] === space || this.#pending[end] === tab) end += 1;
      const [first, second] = [this.#pending[end], this.#pending[end + 1]];
      if (first !== undefined && first !== cr && first !== dash) return false;
      if (first !== undefined && second !== undefined) return first === cr ? second === lf : second === dash;
      await this.#more();
    }
  }

  #passDelimiter(at: number): void {
    let end = at + this.#delimiter.length;
    while (this.#pending[end] === space || this.#pending[end] === tab) end += 1;
    this.ended = this.#pending[end] === dash;
    // The line break stays before the headers: a part without any has an empty line only.
    this.#pending = this.#pending.subarray(end);
    this.#atDelimiter = true;
  }

  async #more(): Promise<void> {
    const chunk = await this.#source.next();
    if (chunk === undefined) throw new MalformedForm('The form ends before its closing delimiter');
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
  }
}
