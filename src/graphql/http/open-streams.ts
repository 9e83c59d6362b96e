import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { drained, writePieces } from '../../platform/http/send-response.ts';

/**
 * Interval of keep-alive messages on an idle stream, in milliseconds. Proxies cut idle connections after 30
 * or 60 s.
 */
const aliveEveryMs = 12_000;
/** The turns in which one timer serves all streams: ten thousand writes at once would delay other work. */
const turns = 12;

/** The syntax of a kind of stream. */
export interface Wording {
  /**
   * Begins the stream.
   * @param id the cursor at which it begins, if the client does not have it
   */
  head(id: string | undefined): string;
  /** The keep-alive message. */
  readonly alive: string;
  /**
   * The text before and after the JSON of one result.
   * @param id the event's cursor, if it has one
   */
  event(id: string | undefined): readonly [before: string, after: string];
  /** The completion message. */
  readonly end: string;
}

/**
 * A message as one chunk of HTTP/1.1 (RFC 9112, 7.1), made once for all its readers. Node writes a chunk in
 * four parts, which takes a quarter more CPU than writing these bytes.
 */
export class MessageChunk {
  readonly bytes: Buffer;
  readonly #from: number;

  constructor(text: string) {
    const size = `${Buffer.byteLength(text).toString(16)}\r\n`;
    this.bytes = Buffer.from(`${size}${text}\r\n`);
    this.#from = size.length;
  }

  /** The message alone, in UTF-8 and without the syntax of a chunk. */
  get content(): Buffer {
    return this.bytes.subarray(this.#from, -2);
  }
}

/** One result in the syntax of a stream. */
export interface StreamMessage {
  /** The whole message. For a long one, its JSON in pieces, with the text before and after it. */
  readonly pieces: MessageChunk | readonly [before: string, json: Iterable<string>, after: string];
  /** Whether its error says that the database does not answer for now: the client should reconnect. */
  readonly isTemporary: boolean;
}

/**
 * Whether a stream's response is sent in chunks, as it is in HTTP/1.1. In HTTP/1.0, its end is the end of the
 * connection.
 */
export const isChunked = ({ req }: ServerResponse): boolean => req.httpVersion === '1.1';

/**
 * A response to which messages are written until one of the two sides ends it. Its constructor sends the head
 * of the response, whose status and headers must be set already, and then the head that the wording has.
 */
export class OpenStream {
  readonly #res: ServerResponse;
  readonly #wording: Wording;
  /** In which second (0 to 11) of each 12 its keep-alive message is written. */
  readonly turn: number;
  #wasCut = false;
  #isWriting = false;

  constructor(res: ServerResponse, wording: Wording, { turn, id }: { turn: number; id: string | undefined }) {
    this.#res = res;
    this.#wording = wording;
    this.turn = turn;
    // Written by itself, so that Node does not keep the header's hundred small strings in memory.
    res.socket?.cork();
    res.flushHeaders();
    res.write(wording.head(id));
    res.socket?.uncork();
  }

  /** Writes a keep-alive message, unless its reader has not taken everything yet. */
  keepAlive(): void {
    if (!this.isOpen || this.#isWriting || (this.#socket ?? this.#res).writableNeedDrain) return;
    this.#res.write(this.#wording.alive);
  }

  /**
   * The socket, to which whole chunks are written. Undefined if the response has none yet, or is not sent in
   * chunks.
   */
  get #socket(): Socket | undefined {
    return (isChunked(this.#res) && this.#res.socket) || undefined;
  }

  /** Whether neither side has ended it. */
  get isOpen(): boolean {
    return !this.#wasCut && !this.#res.destroyed && !this.#res.writableEnded;
  }

  /**
   * Writes a message, unless the stream has ended. The next one may be written when this one was taken. Those
   * of one turn of the event loop are sent together, at its end.
   * @returns undefined when more may be written at once, or the stream has ended; else a promise that
   *   resolves when the reader has taken the message, or has gone
   */
  write({ pieces }: StreamMessage): Promise<void> | undefined {
    if (!(pieces instanceof MessageChunk)) return this.#writeAll(pieces);
    if (!this.isOpen) return undefined;
    const socket = this.#socket;
    if (socket !== undefined) sendTogether(socket);
    const isTaken = socket === undefined ? this.#res.write(pieces.content) : socket.write(pieces.bytes);
    return isTaken ? undefined : drained(socket ?? this.#res);
  }

  async #writeAll([before, json, after]: Exclude<StreamMessage['pieces'], MessageChunk>): Promise<void> {
    this.#isWriting = true;
    await writePieces(this.#res, this.#whileOpen([before]));
    await writePieces(this.#res, this.#whileOpen(json));
    await writePieces(this.#res, this.#whileOpen([after]));
    this.#isWriting = false;
  }

  *#whileOpen(pieces: Iterable<string>): Generator<string> {
    for (const piece of pieces) {
      if (!this.isOpen) return;
      yield piece;
    }
  }

  /** Ends the stream with its completion message, unless it has ended. */
  complete(): void {
    if (this.isOpen) this.#res.end(this.#wording.end);
  }

  /** Ends the stream without a completion message: closes the connection after all pending bytes are sent. */
  cut(): void {
    this.#wasCut = true;
    this.#res.socket?.destroySoon();
  }
}

/** The sockets whose messages are sent at the end of this turn of the event loop. */
const sending: Socket[] = [];

/**
 * From now on, keeps what is written to a socket until the end of this turn of the event loop, and then sends
 * it in one system call, which is what most of a delivery costs. A reader who is late gets several events in
 * a turn.
 */
function sendTogether(socket: Socket): void {
  if (socket.writableCorked > 0) return;
  socket.cork();
  if (sending.push(socket) === 1) setImmediate(sendAll);
}

function sendAll(): void {
  for (const socket of sending.splice(0)) socket.uncork();
}

/** The streams that are open. One timer writes a keep-alive message to each of them every 12 seconds. */
export class OpenStreams {
  readonly #streams = new Set<OpenStream>();
  #begun = 0;
  #timer: NodeJS.Timeout | undefined;

  /** Number of streams that have begun and were not removed by `leave`. */
  get size(): number {
    return this.#streams.size;
  }

  /**
   * Begins a stream and sends its head. The caller must call `leave` when the response is closed.
   * @param id as in `Wording.head`
   */
  begin(res: ServerResponse, wording: Wording, id: string | undefined): OpenStream {
    this.#begun += 1;
    const stream = new OpenStream(res, wording, { turn: this.#begun % turns, id });
    this.#streams.add(stream);
    this.#timer ??= this.#keepAlive();
    return stream;
  }

  /** Removes a stream whose response is closed. It does not end it. */
  leave(stream: OpenStream): void {
    this.#streams.delete(stream);
    if (this.#streams.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Ends all streams without a completion message. */
  cut(): void {
    for (const stream of this.#streams) stream.cut();
  }

  #keepAlive(): NodeJS.Timeout {
    let turn = 0;
    return setInterval(() => {
      turn = (turn + 1) % turns;
      for (const stream of this.#streams) if (stream.turn === turn) stream.keepAlive();
    }, aliveEveryMs / turns).unref();
  }
}
