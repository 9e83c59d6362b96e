import type { ReadAlone } from '../../events/feed.ts';
import type { FeedOf, Watching } from '../../events/feeds.ts';
import type { Page } from '../../events/recent-events.ts';
import { BadCredential, Refusal } from '../../platform/errors.ts';
import type { Authenticate, Viewer } from '../../platform/request-context.ts';
import type { TicketContext } from '../context.ts';
import { assertScope, isOperator } from '../permissions.ts';
import type { TicketEvent, WatchedEvent } from './event.ts';
import { nextOf, type PulledStream, type Receiver } from './pulled-stream.ts';

/** A list of events that somebody watches. */
export interface WatchedList<E extends TicketEvent, P> {
  readonly feed: FeedOf<E, P>;
  /** The position after which the stream begins. */
  readonly from: P;
  /**
   * The text of the refusal FORBIDDEN that ends the stream when the watcher is no longer an operator.
   * Undefined if requesters may watch as well.
   */
  readonly forOperators: string | undefined;
  /** Which events this watcher wants; all when absent. */
  readonly isWanted?: (event: E) => boolean;
  /** Reads only the wanted events while the watcher is behind; the feed's own read when absent. */
  readonly alone?: ReadAlone<E, P> | undefined;
}

/**
 * Yields events to one watcher as they come, without gaps or repetitions. The credential is authenticated
 * again for each event. While nothing happens it holds no suspended function: there may be thousands. It
 * takes one of its user's subscriptions until it is returned, ends because the gateway stops, or fails. Each
 * event that was written since the start is reported to `eventDelivered`. The stream fails with the refusal
 * UNAUTHENTICATED or FORBIDDEN once the credential, the scope `read` or the role is lost, and with the error
 * of a read that fails.
 */
export class EventWatcher<E extends TicketEvent, P> implements PulledStream<WatchedEvent> {
  readonly #ctx: TicketContext;
  readonly #watched: WatchedList<E, P>;
  readonly #began: number;
  readonly #taken: Disposable;
  #watching: Watching<E, P> | undefined;
  #events: readonly E[] = none;
  #at = 0;
  /** Where the page ends, and whether there may be more after it already. */
  #reached: P;
  #mayBeMore = true;
  /** Whether it waits to be woken, and whether it was woken since it began to read. */
  #isQuiet = false;
  #wasWoken = false;
  #isAdvancing = false;
  #isEnded = false;
  /** Who waits for the next event. */
  #receiver: Receiver<WatchedEvent> | undefined;

  /**
   * Starts to watch for the signed-in viewer. Resolves with the watcher as soon as no later commit can be
   * missed. The caller has checked the viewer's permissions.
   * @throws TooMany when the viewer has too many subscriptions open
   */
  static async start<E extends TicketEvent, P>(ctx: TicketContext, watched: WatchedList<E, P>) {
    const watcher = new EventWatcher(ctx, watched);
    const { feed, alone } = watched;
    watcher.#watching = await ctx.services.events.watch(feed, () => watcher.#wake(), alone);
    return watcher;
  }

  private constructor(ctx: TicketContext, watched: WatchedList<E, P>) {
    this.#ctx = ctx;
    this.#watched = watched;
    this.#began = ctx.now().getTime();
    this.#taken = ctx.services.subscriptionLimit.take(ctx.viewer!.userId);
    this.#reached = watched.from;
  }

  [Symbol.asyncIterator]() {
    return this;
  }

  pull(receiver: Receiver<WatchedEvent>): void {
    if (this.#isEnded) return receiver.end();
    this.#receiver = receiver;
    this.#advance();
  }

  next(): Promise<IteratorResult<WatchedEvent, undefined>> {
    return nextOf(this);
  }

  /** Ends the stream. A pull that waits is answered by `end`. */
  async return(): Promise<IteratorResult<WatchedEvent, undefined>> {
    this.#end();
    return { done: true, value: undefined };
  }

  #end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#watching![Symbol.dispose]();
    this.#taken[Symbol.dispose]();
    this.#leavePage();
    this.#answered()?.end();
  }

  /** Who waited, and must be answered now. */
  #answered(): Receiver<WatchedEvent> | undefined {
    const receiver = this.#receiver;
    this.#receiver = undefined;
    return receiver;
  }

  #wake(): void {
    this.#wasWoken = true;
    if (!this.#isQuiet) return;
    this.#isQuiet = false;
    this.#advance();
  }

  /**
   * Answers the caller who waits, or waits to be woken. Events in memory are used without a suspended call:
   * each one takes memory, and there may be one for each of thousands of watchers.
   */
  #advance(): void {
    // A caller may ask for the next event before it returns, and each event would call one level deeper.
    if (this.#isAdvancing) return;
    this.#isAdvancing = true;
    let goesOn = true;
    while (goesOn && this.#receiver !== undefined)
      goesOn = this.#at < this.#events.length ? this.#answerNext() : this.#turnPage();
    this.#isAdvancing = false;
  }

  /** @returns false when the viewer is waited for */
  #answerNext(): boolean {
    const viewer = this.#signInAgain();
    if (!(viewer instanceof Promise)) {
      this.#yieldTo(viewer);
      return true;
    }
    viewer.then(
      (found) => this.#yieldTo(found),
      (error) => this.#fail(error),
    );
    return false;
  }

  /** @returns false when the next page is waited for, or nothing is left to do */
  #turnPage(): boolean {
    if (this.#watching!.isOver) this.#end();
    // It will be woken when what a later notification announces was read.
    else if (!this.#mayBeMore && !this.#wasWoken) this.#isQuiet = true;
    else {
      this.#wasWoken = false;
      const page = this.#watching!.next(this.#reached);
      if (!(page instanceof Promise)) {
        this.#turnTo(page);
        return true;
      }
      page.then(
        (found) => this.#goOn(found),
        (error) => this.#fail(error),
      );
    }
    return false;
  }

  #goOn(page: Page<E, P>): void {
    if (this.#isEnded) return;
    this.#turnTo(page);
    this.#advance();
  }

  #signInAgain(): ReturnType<Authenticate> {
    try {
      return this.#ctx.signInAgain();
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Answers with the next event, if the viewer may still see it. */
  #yieldTo(viewer: Viewer | undefined): void {
    if (this.#isEnded) return;
    let seen: WatchedEvent;
    try {
      seen = this.#see(this.#events[this.#at]!, viewer);
    } catch (error) {
      return this.#fail(error);
    }
    this.#at += 1;
    // Their answers must not stay in memory until the next event.
    if (this.#at === this.#events.length) this.#leavePage();
    this.#answered()?.take(seen);
  }

  #fail(error: unknown): void {
    const receiver = this.#answered();
    this.#end();
    receiver?.fail(error instanceof BadCredential ? credentialLost() : error);
  }

  #leavePage(): void {
    this.#events = none;
    this.#at = 0;
  }

  #turnTo({ events, reached, more }: Page<E, P>): void {
    const { isWanted } = this.#watched;
    this.#reached = reached;
    this.#mayBeMore = more;
    this.#events = isWanted === undefined ? events : events.filter(isWanted);
    this.#at = 0;
  }

  /**
   * The page may be old: a slow caller takes the next event only after receiving the last one.
   * @throws Refusal UNAUTHENTICATED, FORBIDDEN
   */
  #see(event: E, signedIn: Viewer | undefined): WatchedEvent {
    const { now, services } = this.#ctx;
    const viewer = this.#allowed(signedIn);
    const written = event.createdAt.getTime();
    if (written > this.#began) services.eventDelivered(Math.max(0, now().getTime() - written) / 1000);
    return { event, viewer, page: this.#events, at: this.#at };
  }

  /** The viewer as they are now, if they may still watch. @throws Refusal UNAUTHENTICATED, FORBIDDEN */
  #allowed(viewer: Viewer | undefined): Viewer {
    const { forOperators } = this.#watched;
    if (viewer === undefined) throw credentialLost();
    assertScope(viewer, 'read');
    if (forOperators !== undefined && !isOperator(viewer)) throw new Refusal('FORBIDDEN', forOperators);
    return viewer;
  }
}

/** The events of a page that was left. Shared by all watchers. */
const none: readonly never[] = [];

const credentialLost = () => new Refusal('UNAUTHENTICATED', 'The credential is no longer valid');
