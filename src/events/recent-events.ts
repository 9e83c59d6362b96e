/** The events of a list between two positions. */
export interface EventSpan<E, P> {
  /** Oldest first. */
  readonly events: readonly E[];
  /** Position from which to read on. */
  readonly reached: P;
}

/** One page of events after a position. */
export interface Page<E, P> extends EventSpan<E, P> {
  /** Whether there may already be more events after it. If not, it reached the end of the list. */
  readonly more: boolean;
  /** Whether later events cannot be read yet, because an older transaction is under way. Default: false. */
  readonly areHeld?: boolean;
}

/** The order of a list's events. */
export interface EventOrder<E, P> {
  readonly positionOf: (event: E) => P;
  /** Whether position `a` is before `b`. */
  readonly isBefore: (a: P, b: P) => boolean;
}

/**
 * An event stays in memory until all watchers have taken it, or none has for this many milliseconds. Ten
 * thousand watchers may need seconds to take it, and the late ones must not each read it from the database.
 * Anything derived from an event, such as its results, is kept as long as the event.
 */
const keepMs = 1000;
/** Events kept in memory, at most. */
const maxKept = 200;

/** A page that a watcher has taken. */
interface Taken<E, P> {
  readonly after: P;
  /** Index of its first event. */
  readonly from: number;
  readonly page: Page<E, P>;
}

/** The watchers who take the events. */
export interface Takers {
  /** Number of watchers of the list. */
  readonly count: number;
  /**
   * Whether some are still being woken. Until all are, no event is dropped for not having been taken lately.
   */
  readonly areWoken: boolean;
}

/**
 * The last events of a list without a gap, in memory, for watchers who come a little late. It reads nothing
 * itself. It keeps at most 200 events and drops the oldest first. An event is also dropped when all watchers
 * have taken it, or when none has for one to two seconds.
 */
export class RecentEvents<E, P> {
  readonly #order: EventOrder<E, P>;
  readonly #takers: Takers;
  /** The events from `#start` to `#end`. */
  #events: E[] = [];
  #start: P | undefined;
  #end: P | undefined;
  /** The last page that was taken: most watchers are at the same position. */
  #taken: Taken<E, P> | undefined;
  /** Number of events when the timer was set. */
  #keptCount = 0;
  /** Index of the first event that was taken since. */
  #takenFrom = Number.POSITIVE_INFINITY;
  /** How often the events up to the last one were taken. */
  #timesTaken = 0;
  #forgetting: NodeJS.Timeout | undefined;

  constructor(order: EventOrder<E, P>, takers: Takers) {
    this.#order = order;
    this.#takers = takers;
  }

  /** The position up to which everything was read. Undefined before `begin`. */
  get end(): P | undefined {
    return this.#end;
  }

  /**
   * Begins without any events.
   * @param end the position of the end of the list
   */
  begin(end: P): void {
    this.#start = end;
    this.#end = end;
  }

  /** Adds the events that were read after `end`, which becomes the position that they reached. */
  append({ events, reached }: EventSpan<E, P>): void {
    this.#end = reached;
    this.#taken = undefined;
    if (events.length === 0) return;
    this.#events.push(...events);
    this.#timesTaken = 0;
    this.#drop(this.#events.length - maxKept);
    this.#forgetLater();
  }

  /**
   * Adds events that were read after a position before the kept ones, and that reach these. Does nothing if
   * there would be a gap, if the position is not earlier, if there would be more than 200 events, or before
   * `begin`.
   */
  prepend(position: P, { events, reached }: EventSpan<E, P>): void {
    const { positionOf, isBefore } = this.#order;
    const start = this.#start;
    if (start === undefined || !isBefore(position, start) || isBefore(reached, start)) return;
    const earlier = events.filter((event) => !isBefore(start, positionOf(event)));
    if (this.#events.length + earlier.length > maxKept) return;
    this.#events.unshift(...earlier);
    this.#start = position;
    this.#taken = undefined;
    // They were taken just now, and were not here when the timer was set.
    this.#keptCount = 0;
    this.#timesTaken = 0;
    this.#forgetLater();
  }

  /**
   * All events after a position, up to `end`, as one watcher takes them; undefined if they are not all in
   * memory. Watchers at the same position get the same page. When the newest events were taken as often as
   * there are watchers, all are dropped.
   * @param more whether there may already be events that were not appended yet: the page's `more`
   */
  after(position: P, more: boolean): Page<E, P> | undefined {
    // Others may have taken all events, and so have dropped them, since this watcher began to wait for them.
    if (this.#start === undefined || this.#order.isBefore(position, this.#start)) return undefined;
    let taken = this.#taken;
    if (taken?.after !== position || taken.page.more !== more) {
      const from = this.#indexAfter(position);
      const reached = this.#order.isBefore(position, this.#end!) ? this.#end! : position;
      taken = { after: position, from, page: { events: this.#events.slice(from), reached, more } };
      this.#taken = taken;
    }
    if (taken.page.events.length > 0) this.#noteTaken(taken);
    return taken.page;
  }

  /**
   * Drops everything once the newest events were taken as often as there are watchers. A watcher who comes
   * back is counted twice; then another one has to read from the database.
   */
  #noteTaken({ from }: Taken<E, P>): void {
    this.#takenFrom = Math.min(this.#takenFrom, from);
    this.#timesTaken += 1;
    if (this.#timesTaken < this.#takers.count) return;
    this.#drop(this.#events.length);
    // A timer that is left to end lives long enough to be an old object to V8.
    clearTimeout(this.#forgetting);
    this.#forgetting = undefined;
  }

  /** Index of the first event after a position. */
  #indexAfter(position: P): number {
    const { isBefore, positionOf } = this.#order;
    let index = this.#events.length;
    while (index > 0 && isBefore(position, positionOf(this.#events[index - 1]!))) index -= 1;
    return index;
  }

  /** Drops some of the oldest events. */
  #drop(count: number): void {
    if (count <= 0) return;
    this.#start = this.#order.positionOf(this.#events[count - 1]!);
    this.#events.splice(0, count);
    this.#keptCount = Math.max(0, this.#keptCount - count);
    this.#takenFrom = Math.max(0, this.#takenFrom - count);
    this.#taken = undefined;
  }

  /** Forgets the events that were not taken for a whole interval, and then those that come after them. */
  #forgetLater(): void {
    this.#forgetting ??= setTimeout(() => {
      this.#forgetting = undefined;
      if (!this.#takers.areWoken) this.#drop(Math.min(this.#keptCount, this.#takenFrom));
      this.#keptCount = this.#events.length;
      this.#takenFrom = Number.POSITIVE_INFINITY;
      if (this.#events.length > 0) this.#forgetLater();
    }, keepMs).unref();
  }
}
