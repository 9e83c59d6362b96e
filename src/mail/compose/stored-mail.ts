import type { BlobStore } from '../../storage/blob-store.ts';

/** A mail's bytes with its attachments by reference, small enough to store for every mail. */
export interface MailSource {
  /** All bytes but the attachments' base64 lines. */
  readonly skeleton: Buffer;
  /**
   * In order: the offset in the skeleton at which an attachment's base64 lines belong, and the file.
   * `byteSize` is the size of the file itself, before base64.
   */
  readonly inserts: readonly {
    readonly offset: number;
    readonly blobKey: string;
    readonly byteSize: number;
  }[];
}

/**
 * Number of octets that this many bytes take as base64: lines of 57 bytes, with CRLF between them and none at
 * the end.
 */
export const base64Octets = (bytes: number): number =>
  4 * Math.ceil(bytes / 3) + 2 * Math.max(0, Math.ceil(bytes / 57) - 1);

/** Size of a mail as sent, in octets, before dot-stuffing. */
export function sourceOctets({ skeleton, inserts }: MailSource): number {
  return skeleton.length + inserts.reduce((sum, { byteSize }) => sum + base64Octets(byteSize), 0);
}

/**
 * Input for the upper bound of a mail's size. Sizes of texts are in bytes of UTF-8, those of attachments in
 * bytes of the file.
 */
export interface SizeInput {
  readonly bodyBytes: number;
  readonly signatureBytes: number;
  readonly quotedBytes: number;
  readonly recipients: number;
  readonly attachments: readonly { readonly byteSize: number }[];
}

/** The most octets that a byte of the body, the signature or a quotation can become in the mail. */
export const octetsOfTextByte = 120;

/**
 * Upper bound of the encoded mail's size, in octets. Close for attachments, far too high for text: each blank
 * could become `&nbsp;`, each link appear three times, and a style sheet be repeated at each element. If the
 * bound is within the mailbox's limit, the mail need not be composed to measure it.
 */
export function encodedSizeUpperBound({
  bodyBytes,
  signatureBytes,
  quotedBytes,
  recipients,
  attachments,
}: SizeInput): number {
  const text = bodyBytes + signatureBytes + quotedBytes;
  return (
    49_152 +
    recipients * 1024 +
    text * octetsOfTextByte +
    attachments.reduce((sum, { byteSize }) => sum + base64Octets(byteSize) + 2048, 0)
  );
}

/**
 * Streams the exact bytes of a mail, in pieces of any size. An attachment is never in memory as a whole.
 * @param signal ends the reading of a file that the generator waits for, which throws then
 * @throws StoreUnavailable when the store cannot be read, or Error when a blob is missing or its length is
 *   not `byteSize`; each perhaps after some of the bytes. The caller must not end the mail then, so that no
 *   server accepts it.
 */
export async function* mailBytes(
  { skeleton, inserts }: MailSource,
  blobs: Pick<BlobStore, 'open'>,
  signal?: AbortSignal,
): AsyncGenerator<Buffer> {
  let at = 0;
  for (const { offset, blobKey, byteSize } of inserts) {
    yield skeleton.subarray(at, offset);
    at = offset;
    yield* base64Of(blobs, blobKey, byteSize, signal);
  }
  yield skeleton.subarray(at);
}

/** Octets; a mail without large files is one piece. */
const largePiece = 65_536;

/**
 * Joins pieces into larger ones, of at least 64 KiB except for the last, because each piece costs a system
 * call, a TLS record and some turns of the event loop. A mail without large files is one piece.
 */
export async function* inLargePieces(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let gathered: Buffer[] = [];
  let octets = 0;
  for await (const piece of pieces) {
    gathered.push(piece);
    octets += piece.length;
    if (octets < largePiece) continue;
    yield Buffer.concat(gathered, octets);
    gathered = [];
    octets = 0;
  }
  if (octets > 0) yield Buffer.concat(gathered, octets);
}

/**
 * Wraps pieces so that the first ones can be read before they are needed.
 * @param beyond pieces are read ahead until they have more octets than this
 * @returns four functions. `begin` starts reading ahead. `arrived` also starts it, unless it was started
 *   before, and resolves when enough was read or the source has ended; it rejects with the error of the
 *   source. `pieces` is to be called once: it yields all pieces, also those not read ahead, and throws the
 *   same error. Reading ahead is optional. `end` closes the source. It must be called if the source was not
 *   read to its end, and is harmless if it was
 */
export function readAhead(pieces: AsyncGenerator<Buffer>, beyond = 0) {
  let first: Promise<Buffer[]> | undefined;
  async function gather(): Promise<Buffer[]> {
    const gathered: Buffer[] = [];
    for (let octets = 0; octets <= beyond; ) {
      const { value, done } = await pieces.next();
      if (done) break;
      gathered.push(value);
      octets += value.length;
    }
    return gathered;
  }
  const begin = (): Promise<unknown> => {
    first ??= gather();
    return first;
  };
  return {
    begin(): void {
      // The consumer of `pieces` gets the error.
      begin().catch(() => {});
    },
    arrived: begin,
    async *pieces(): AsyncGenerator<Buffer> {
      yield* (await first) ?? [];
      yield* pieces;
    },
    end(): void {
      pieces.return(undefined).catch(() => {});
    },
  };
}

const lineBytes = 57;

async function* base64Of(
  blobs: Pick<BlobStore, 'open'>,
  blobKey: string,
  byteSize: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  let seen = 0;
  let octets = 0;
  const lines = (bytes: Buffer) => {
    const text = Buffer.from(bytes.toString('base64').replace(/.{76}(?!$)/g, '$&\r\n'), 'latin1');
    const piece = octets === 0 ? text : Buffer.concat([Buffer.from('\r\n'), text]);
    octets += piece.length;
    return piece;
  };
  const file = await blobs.open(blobKey, undefined, signal);
  for await (const chunk of file as AsyncIterable<Buffer>) {
    seen += chunk.length;
    if (seen > byteSize) break;
    const bytes: Buffer = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const whole = bytes.length - (bytes.length % lineBytes);
    if (whole > 0) yield lines(bytes.subarray(0, whole));
    rest = bytes.subarray(whole);
  }
  if (seen !== byteSize) throw new Error(`blob ${blobKey} has ${seen} bytes, not ${byteSize}`);
  if (rest.length > 0) yield lines(rest);
  if (octets !== base64Octets(byteSize)) throw new Error(`blob ${blobKey} became ${octets} octets`);
}
