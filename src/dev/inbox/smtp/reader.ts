import type { Socket } from 'node:net';

/** Octets of a command line. RFC 5321 requires 512, and extensions a few more. */
const maxLine = 4096;

/**
 * Reads what an SMTP client sends, one line or one body at a time. Both methods resolve to undefined when the
 * client has ended the connection, and reject when the connection fails. One call at a time.
 */
export class SmtpReader {
  readonly #pieces: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(socket: Socket) {
    this.#pieces = socket[Symbol.asyncIterator]();
  }

  /**
   * Reads a command line as UTF-8, without its end, CRLF or LF.
   * @throws Error when more than 4096 octets have arrived without a line's end
   */
  async line(): Promise<string | undefined> {
    for (;;) {
      const end = this.#rest.indexOf(0x0a);
      if (end < 0 && this.#rest.length > maxLine) throw new Error('a line without an end');
      if (end >= 0) {
        const line = this.#rest.subarray(0, end).toString('utf8');
        this.#rest = this.#rest.subarray(end + 1);
        return line.replace(/\r$/, '');
      }
      const piece = await this.#next();
      if (piece === undefined) return undefined;
      this.#rest = Buffer.concat([this.#rest, piece]);
    }
  }

  /**
   * Reads the lines of a mail up to the line with a single dot. The result is without that line, and without
   * the dots that were added to other lines. Only CRLF ends a line: accepting a bare LF would allow mails to
   * be smuggled in.
   * @param limit octets
   * @returns null for a mail of more than `limit` octets, which is read to its end all the same
   */
  async body(limit: number): Promise<Buffer | null | undefined> {
    const kept: Buffer[] = [];
    // The line before the first one has ended.
    let tail: Buffer = Buffer.from('\r\n');
    let seen = 0;
    for (let piece: Buffer | undefined = this.#takeRest(); ; piece = await this.#next()) {
      if (piece === undefined) return undefined;
      if (seen <= limit) kept.push(piece);
      const seam = Buffer.concat([tail, piece]);
      const end = seam.indexOf('\r\n.\r\n');
      if (end >= 0) {
        this.#rest = piece.subarray(end + 5 - tail.length);
        const octets = seen - tail.length + end + 2;
        return octets > limit ? null : unstuffed(Buffer.concat(kept).subarray(0, octets));
      }
      seen += piece.length;
      tail = seam.subarray(-4);
    }
  }

  #takeRest(): Buffer {
    const rest = this.#rest;
    this.#rest = Buffer.alloc(0);
    return rest;
  }

  async #next(): Promise<Buffer | undefined> {
    const { value, done } = await this.#pieces.next();
    return done ? undefined : value;
  }
}

/** Removes the additional dot with which a line that begins with a dot is sent (RFC 5321 §4.5.2). */
function unstuffed(body: Buffer): Buffer {
  const pieces: Buffer[] = [];
  let from = body[0] === 0x2e ? 1 : 0;
  for (let at = body.indexOf('\r\n.'); at >= 0; at = body.indexOf('\r\n.', at + 2)) {
    pieces.push(body.subarray(from, at + 2));
    from = at + 3;
  }
  return Buffer.concat([...pieces, body.subarray(from)]);
}
