import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ExecutionResult } from 'graphql';
import { notesOf } from '../../platform/request-notes.ts';
import { writeHead } from '../../platform/response-head.ts';
import { drained, writePieces } from '../../platform/send-response.ts';
import type { Operation } from '../execute/prepare-operation.ts';
import { contentTypes } from './response-media-types.ts';
import { asJson, commonHeaders, vary, type WriteOptions } from './write-response.ts';

/**
 * Interval of keep-alive messages on an idle stream, in milliseconds. Proxies cut idle connections after 30
 * or 60 s.
 */
const sayEveryMs = 12_000;

/** The syntax of a kind of stream. */
interface Wording {
  readonly head: string;
  readonly alive: string;
  /** What stands before and behind the JSON of one result. */
  event(id: string | undefined): readonly [before: string, behind: string];
  readonly end: string;
}

const wordings = {
  /** GraphQL over SSE, distinct connections mode. */
  events: {
    head: ':\n\n',
    alive: ':\n\n',
    event: (id) => [`event: next\n${id === undefined ? '' : `id: ${id}\n`}data: `, '\n\n'],
    // Without data, a browser would not tell of it.
    end: 'event: complete\ndata:\n\n',
  },
  /** Apollo's protocol for subscriptions over multipart. */
  parts: {
    head: '\r\n--graphql',
    alive: '\r\nContent-Type: application/json\r\n\r\n{}\r\n--graphql',
    event: () => ['\r\nContent-Type: application/json\r\n\r\n{"payload":', '}\r\n--graphql'],
    end: '--\r\n',
  },
} as const satisfies Record<'events' | 'parts', Wording>;

/** One result in the syntax of a stream. */
interface StreamMessage {
  /** As a whole; of a long one, the JSON in pieces, with what stands before and behind it. */
  readonly pieces: Buffer | readonly [before: string, json: Iterable<string>, behind: string];
  /** Whether its error says that the database does not answer for now. */
  readonly passes: boolean;
}
type Messages = Readonly<Record<'events' | 'parts', WeakMap<ExecutionResult, StreamMessage>>>;

/** What a stream's messages depend on besides the results. */
interface ToldAs {
  readonly form: 'events' | 'parts';
  readonly place: Operation['place'] | undefined;
  readonly kind: Operation['kind'] | undefined;
}

async function* once(result: ExecutionResult): AsyncGenerator<ExecutionResult> {
  yield result;
}

/** Creates the writer of responses that are streams. It knows the open streams and can cut them. */
export function createStreams({ answerBytes }: Pick<WriteOptions, 'answerBytes'>) {
  const open = new Set<OpenStream>();
  const messages = { events: new WeakMap(), parts: new WeakMap() } as const satisfies Messages;
  let areCut = false;

  /** The message of one result, made once however many readers the result has. */
  function messageOf(one: ExecutionResult, { form, place, kind }: ToldAs): StreamMessage {
    const known = messages[form].get(one);
    if (known !== undefined) return known;
    const { outcome, body } = asJson(one, { answerBytes, kind });
    const [before, behind] = wordings[form].event(place?.reached);
    const pieces = typeof body === 'string' ? Buffer.from(before + body + behind) : [before, body, behind];
    const message = { pieces, passes: outcome.status === 503 } as StreamMessage;
    messages[form].set(one, message);
    return message;
  }

  /** Writes one result, or all results of a stream as they come. */
  function tell(
    req: IncomingMessage,
    res: ServerResponse,
    form: 'events' | 'parts',
    result: ExecutionResult | AsyncIterable<ExecutionResult>,
    operation?: Operation,
  ): void {
    const results = Symbol.asyncIterator in result ? result[Symbol.asyncIterator]() : once(result);
    if (res.destroyed) return void results.return?.();
    const headers = {
      ...commonHeaders,
      'Content-Type': contentTypes[form],
      Vary: vary(res),
      // Stops nginx from buffering events.
      'X-Accel-Buffering': 'no',
    };
    writeHead(res, 200, headers);
    req.resume();
    if (Symbol.asyncIterator in result) notesOf(req).lasting = true;
    const stream = new OpenStream(res, wordings[form]);
    open.add(stream);
    res.once('close', () => {
      open.delete(stream);
      void results.return?.();
    });
    follow(stream, results, { form, place: operation?.place, kind: operation?.kind });
  }

  /** Takes the next result when the reader has taken the last one. */
  function follow(stream: OpenStream, results: AsyncIterator<ExecutionResult>, told: ToldAs): void {
    let passes = false;
    const next = () => void results.next().then(tellOne);
    const tellOne = ({ done, value }: IteratorResult<ExecutionResult>): void => {
      if (!stream.isOpen) return;
      if (done === true) {
        // A stream that ends because the process stops or the database is down is not complete: its reader
        // reconnects.
        return told.kind === 'subscription' && (areCut || passes) ? stream.cut() : stream.complete();
      }
      const message = messageOf(value, told);
      ({ passes } = message);
      const taken = stream.tell(message);
      if (taken === undefined) next();
      else void taken.then(next);
    };
    next();
  }

  return {
    tell,
    get count() {
      return open.size;
    },
    get areCut() {
      return areCut;
    },
    cut(): void {
      areCut = true;
      for (const stream of open) stream.cut();
    },
  };
}

class OpenStream {
  readonly #res: ServerResponse;
  readonly #wording: Wording;
  #wasCut = false;
  #isTelling = false;

  constructor(res: ServerResponse, wording: Wording) {
    this.#res = res;
    this.#wording = wording;
    res.write(wording.head);
    const timer = setInterval(() => {
      if (this.isOpen && !this.#isTelling && !res.writableNeedDrain) res.write(wording.alive);
    }, sayEveryMs).unref();
    res.once('close', () => clearInterval(timer));
  }

  get isOpen(): boolean {
    return !this.#wasCut && !this.#res.destroyed && !this.#res.writableEnded;
  }

  /**
   * @returns undefined when more may be written at once. Otherwise resolves when its reader has taken what
   * was written, or has gone
   */
  tell({ pieces }: StreamMessage): Promise<void> | undefined {
    if (!Buffer.isBuffer(pieces)) return this.#tellPieces(pieces);
    return !this.isOpen || this.#res.write(pieces) ? undefined : drained(this.#res);
  }

  async #tellPieces([before, json, behind]: Exclude<StreamMessage['pieces'], Buffer>): Promise<void> {
    this.#isTelling = true;
    await writePieces(this.#res, this.#whileOpen([before]));
    await writePieces(this.#res, this.#whileOpen(json));
    await writePieces(this.#res, this.#whileOpen([behind]));
    this.#isTelling = false;
  }

  *#whileOpen(pieces: Iterable<string>): Generator<string> {
    for (const piece of pieces) {
      if (!this.isOpen) return;
      yield piece;
    }
  }

  complete(): void {
    if (this.isOpen) this.#res.end(this.#wording.end);
  }

  /** Ends the stream without a completion message, after all pending bytes are sent. */
  cut(): void {
    this.#wasCut = true;
    this.#res.socket?.destroySoon();
  }
}
