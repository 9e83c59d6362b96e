import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ExecutionResult } from 'graphql';
import { writeHead } from '../../platform/http/send-response.ts';
import { notesOf } from '../../platform/request-notes.ts';
import { Slot } from '../../platform/slot.ts';
import { pullFrom, type Receiver } from '../../tickets/events/pulled-stream.ts';
import type { Operation } from '../execute/prepare-operation.ts';
import {
  isChunked,
  MessageChunk,
  type OpenStream,
  OpenStreams,
  type StreamMessage,
  type Wording,
} from './open-streams.ts';
import { contentTypes } from './response-media-types.ts';
import { asJson, commonHeaders, varyHeader, type WriteOptions } from './write-response.ts';

const wordings = {
  /** GraphQL over SSE, distinct connections mode. */
  events: {
    // Without data, it is no event, and a browser remembers the id.
    head: (id) => (id === undefined ? ':\n\n' : `id: ${id}\n\n`),
    alive: ':\n\n',
    event: (id) => [`event: next\n${id === undefined ? '' : `id: ${id}\n`}data: `, '\n\n'],
    // Without data, a browser would not dispatch it.
    end: 'event: complete\ndata:\n\n',
  },
  /** Apollo's protocol for subscriptions over multipart. */
  parts: {
    head: () => '\r\n--graphql',
    alive: '\r\nContent-Type: application/json\r\n\r\n{}\r\n--graphql',
    event: () => ['\r\nContent-Type: application/json\r\n\r\n{"payload":', '}\r\n--graphql'],
    end: '--\r\n',
  },
} as const satisfies Record<'events' | 'parts', Wording>;

type Messages = Readonly<Record<'events' | 'parts', Slot<ExecutionResult, StreamMessage>>>;

/** What a stream's messages depend on besides the results. */
interface MessageForm {
  readonly form: 'events' | 'parts';
  readonly place: Operation['place'] | undefined;
  readonly kind: Operation['kind'] | undefined;
}

async function* once(result: ExecutionResult): AsyncGenerator<ExecutionResult> {
  yield result;
}

/**
 * Creates the writer of responses that are streams: Server-Sent Events (`events`) or Apollo's multipart
 * (`parts`).
 * @returns `write` begins a response with status 200, writes one result, or all results of a stream as they
 *   come, and returns at once. It takes the next result when the reader has taken the last one, and calls the
 *   results' `return` when the connection closes. A result with data over `responseBytes` is replaced by the
 *   error ANSWER_TOO_LARGE, as `asJson` says. At the end it sends the completion message. A stream of results
 *   that fails gets none, nor does a subscription that ends by `cut` or with a temporary fault, so that their
 *   readers reconnect. `count` is the number of open streams. `cut` ends them without a completion message,
 *   and sets `areCut`
 */
export function createStreams({ responseBytes }: Pick<WriteOptions, 'responseBytes'>) {
  const open = new OpenStreams();
  const messages = { events: new Slot(), parts: new Slot() } as const satisfies Messages;
  let areCut = false;

  /** The message of one result, made once however many readers the result has. */
  function messageOf(one: ExecutionResult, { form, place, kind }: MessageForm): StreamMessage {
    const known = messages[form].get(one);
    if (known !== undefined) return known;
    const { outcome, body } = asJson(one, { responseBytes, kind });
    const [before, after] = wordings[form].event(place?.reached);
    const isWhole = typeof body === 'string';
    const message: StreamMessage = {
      pieces: isWhole ? new MessageChunk(before + body + after) : [before, body, after],
      isTemporary: outcome.status === 503,
    };
    return messages[form].set(one, message);
  }

  /** Writes one result, or all results of a stream as they come. */
  function write(
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
      Vary: varyHeader(res),
      // Stops nginx from buffering events.
      'X-Accel-Buffering': 'no',
      // Said by us, because the messages are written as chunks.
      ...(isChunked(res) ? { 'Transfer-Encoding': 'chunked' } : {}),
    };
    writeHead(res, 200, headers);
    req.resume();
    if (Symbol.asyncIterator in result) notesOf(req).lasting = true;
    const stream = open.begin(res, wordings[form], operation?.place.reached);
    res.once('close', () => {
      open.leave(stream);
      void results.return?.();
    });
    follow(stream, results, { form, place: operation?.place, kind: operation?.kind });
  }

  /** Writes each result, the next one when the reader has taken the last one. */
  function follow(stream: OpenStream, results: AsyncIterator<ExecutionResult>, as: MessageForm): void {
    let isTemporary = false;
    const next = () => pullFrom(results, receiver);
    const receiver: Receiver<ExecutionResult> = {
      take(value) {
        if (!stream.isOpen) return;
        const message = messageOf(value, as);
        ({ isTemporary } = message);
        const taken = stream.write(message);
        if (taken === undefined) next();
        else void taken.then(next);
      },
      // A stream that ends because the process stops or the database is down is not complete: its reader
      // reconnects.
      end: () => (as.kind === 'subscription' && (areCut || isTemporary) ? stream.cut() : stream.complete()),
      fail: () => stream.cut(),
    };
    next();
  }

  return {
    write,
    get count() {
      return open.size;
    },
    get areCut() {
      return areCut;
    },
    cut(): void {
      areCut = true;
      open.cut();
    },
  };
}
