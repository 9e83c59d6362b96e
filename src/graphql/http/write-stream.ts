import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ExecutionResult } from 'graphql';
import { notedOf } from '../../platform/request-notes.ts';
import { writeHead } from '../../platform/response-head.ts';
import type { Operation } from '../execute/operation.ts';
import { contentTypes } from './response-forms.ts';
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
  /** @param json of one result */
  event(json: string, id: string | undefined): string;
  readonly end: string;
}

const wordings = {
  /** GraphQL over SSE, distinct connections mode. */
  events: {
    head: ':\n\n',
    alive: ':\n\n',
    event: (json, id) => `event: next\n${id === undefined ? '' : `id: ${id}\n`}data: ${json}\n\n`,
    // A browser dispatches no event without data.
    end: 'event: complete\ndata:\n\n',
  },
  /** Apollo's protocol for subscriptions over multipart. */
  parts: {
    head: '\r\n--graphql',
    alive: '\r\nContent-Type: application/json\r\n\r\n{}\r\n--graphql',
    event: (json) => `\r\nContent-Type: application/json\r\n\r\n{"payload":${json}}\r\n--graphql`,
    end: '--\r\n',
  },
} as const satisfies Record<'events' | 'parts', Wording>;

/** Answers that are streams. */
export function createStreams({ answerBytes }: Pick<WriteOptions, 'answerBytes'>) {
  const open = new Set<OpenStream>();
  let areCut = false;

  /** Writes one result or all results of a stream, and waits while the reader is slow. */
  async function tell(
    req: IncomingMessage,
    res: ServerResponse,
    form: 'events' | 'parts',
    result: ExecutionResult | AsyncIterable<ExecutionResult>,
    operation?: Operation,
  ): Promise<void> {
    if (res.destroyed) return;
    const headers = {
      ...commonHeaders,
      'Content-Type': contentTypes[form],
      Vary: vary(res),
      // Stops nginx from buffering events.
      'X-Accel-Buffering': 'no',
    };
    writeHead(res, 200, headers);
    req.resume();
    const stream = new OpenStream(res, wordings[form]);
    open.add(stream);
    res.once('close', () => open.delete(stream));
    const isLasting = Symbol.asyncIterator in result;
    if (isLasting) notedOf(req).lasting = true;
    let passes = false;
    for await (const one of isLasting ? result : [result]) {
      const { outcome, body } = asJson(one, { answerBytes, kind: operation?.kind });
      passes = outcome.status === 503;
      await stream.tell(body, operation?.place.reached);
      if (!stream.isOpen) return;
    }
    // A stream that ends because the process stops or the database is down is not complete: its reader
    // reconnects.
    if (isLasting && (areCut || passes)) stream.cut();
    else stream.complete();
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

  constructor(res: ServerResponse, wording: Wording) {
    this.#res = res;
    this.#wording = wording;
    res.write(wording.head);
    const timer = setInterval(() => {
      if (this.isOpen && !res.writableNeedDrain) res.write(wording.alive);
    }, sayEveryMs).unref();
    res.once('close', () => clearInterval(timer));
  }

  get isOpen(): boolean {
    return !this.#wasCut && !this.#res.destroyed && !this.#res.writableEnded;
  }

  /** Resolves when the reader has taken what was written before, or has gone. */
  async tell(json: string, id: string | undefined): Promise<void> {
    if (!this.isOpen || this.#res.write(this.#wording.event(json, id))) return;
    await Promise.race([once(this.#res, 'drain'), once(this.#res, 'close')]);
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
