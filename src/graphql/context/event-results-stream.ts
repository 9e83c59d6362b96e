import type { ExecutionResult } from 'graphql';
import { asUnavailable } from '../../platform/database-faults.ts';
import { Unavailable } from '../../platform/errors.ts';
import { nextOf, type PulledStream, pullFrom, type Receiver } from '../../tickets/events/pulled-stream.ts';
import type { StreamPlace } from './context.ts';
import type { WatchedEvent } from './event-context.ts';

/** A stream that asked for an event's result. One of its methods is called, once. */
export interface ResultReceiver {
  /** Gets the result, which may have errors. */
  show(result: ExecutionResult): void;
  /** Gets the error because of which there is no result. It ends the stream. */
  fail(error: unknown): void;
}

/** Makes an event's result and gives it to the stream that asked for it, before it returns or later. */
export type AnswerEvent = (seen: WatchedEvent, receiver: ResultReceiver) => void;

/**
 * The first error of a result that is a temporary fault of the database, so that the result is incomplete;
 * undefined if there is none.
 */
export const temporaryFaultOf = ({ errors }: ExecutionResult): Unavailable | undefined =>
  errors
    ?.map(({ originalError }) => asUnavailable(originalError))
    .find((fault): fault is Unavailable => fault instanceof Unavailable);

/**
 * The results of a subscription's events: one for each event, made by `answer` when the stream is asked for
 * it. Before it yields a result, it records the event's cursor in `place.reached`. If the database could not
 * return all of an event, the event is not sent: the stream fails with `Unavailable`, and a client that
 * resumes after the last recorded cursor gets the event again. It ends and fails when its source does.
 */
export class EventResultsStream implements PulledStream<ExecutionResult>, Receiver<WatchedEvent> {
  readonly #events: AsyncIterator<WatchedEvent>;
  readonly #place: StreamPlace;
  readonly #answer: AnswerEvent;
  #receiver: Receiver<ExecutionResult> | undefined;
  #cursor = '';

  constructor(events: AsyncIterable<WatchedEvent>, place: StreamPlace, answer: AnswerEvent) {
    this.#events = events[Symbol.asyncIterator]();
    this.#place = place;
    this.#answer = answer;
  }

  [Symbol.asyncIterator]() {
    return this;
  }

  pull(receiver: Receiver<ExecutionResult>): void {
    this.#receiver = receiver;
    pullFrom(this.#events, this);
  }

  next(): Promise<IteratorResult<ExecutionResult, undefined>> {
    return nextOf(this);
  }

  async return(): Promise<IteratorResult<ExecutionResult, undefined>> {
    await this.#events.return?.();
    return { done: true, value: undefined };
  }

  /** Called by the source with the next event, for which `answer` is called. */
  take(seen: WatchedEvent): void {
    this.#cursor = seen.event.cursor;
    this.#answer(seen, this);
  }

  /** Called by `answer` with the event's result: yields it, unless it has a temporary fault. */
  show(result: ExecutionResult): void {
    const fault = temporaryFaultOf(result);
    if (fault !== undefined) return this.fail(fault);
    this.#place.reached = this.#cursor;
    this.#receiver!.take(result);
  }

  end(): void {
    this.#receiver!.end();
  }

  fail(error: unknown): void {
    this.#receiver!.fail(error);
  }
}
