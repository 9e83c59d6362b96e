/** The events of a list between a position and another one. */
export interface EventSpan<E, P> {
  /** Oldest first. */
  readonly events: readonly E[];
  /** Position from which to read on. */
  readonly reached: P;
}

/** The order of a list's events. */
export interface EventOrder<E, P> {
  readonly positionOf: (event: E) => P;
  /** Whether position `a` is before `b`. */
  readonly isBefore: (a: P, b: P) => boolean;
}

/**
 * Events stay in memory until no watcher has taken one of them for this many milliseconds. Ten thousand
 * watchers may need seconds to take them, and the late ones must not each read them from the database.
 */
const keepMs = 1000;
/** Events kept in memory, at most. */
const maxKept = 200;

/** The last events of a list without a gap, for watchers who come a little late. */
export class RecentEvents<E, P> {
  readonly #order: EventOrder<E, P>;
  readonly #areAwaited: () => boolean;
  /** The events from `#start` to `#end`. */
  #events: E[] = [];
  #start: P | undefined;
  #end: P | undefined;
  /** Whether a watcher has taken events since the timer was set. */
  #wasTaken = false;
  #forgetting: NodeJS.Timeout | undefined;

  /** @param areAwaited whether watchers are still being woken for them: nothing is forgotten then */
  constructor(order: EventOrder<E, P>, areAwaited: () => boolean) {
    this.#order = order;
    this.#areAwaited = areAwaited;
  }

  /** Everything up to here was read. Undefined until a watcher has reached the end of the list. */
  get end(): P | undefined {
    return this.#end;
  }

  /** Whether all events between the position and the end are here. */
  reachBackTo(position: P): boolean {
    return this.#start !== undefined && !this.#order.isBefore(position, this.#start);
  }

  /** Begins at the end of the list. */
  begin(end: P): void {
    this.#start = end;
    this.#end = end;
  }

  /** Adds a page that was read from the end on. */
  append({ events, reached }: EventSpan<E, P>): void {
    this.#end = reached;
    if (events.length === 0) return;
    this.#events.push(...events);
    const dropped = this.#events.splice(0, Math.max(0, this.#events.length - maxKept));
    if (dropped.length > 0) this.#start = this.#order.positionOf(dropped.at(-1)!);
    this.#keep();
  }

  /** Adds a page that was read from an earlier position on, if it leaves no gap. */
  prepend(position: P, { events, reached }: EventSpan<E, P>): void {
    const { positionOf, isBefore } = this.#order;
    const start = this.#start;
    if (start === undefined || !isBefore(position, start) || isBefore(reached, start)) return;
    const earlier = events.filter((event) => !isBefore(start, positionOf(event)));
    if (this.#events.length + earlier.length > maxKept) return;
    this.#events.unshift(...earlier);
    this.#start = position;
    this.#keep();
  }

  /** The events after a position that is not before the first of them. */
  after(position: P): EventSpan<E, P> {
    const { isBefore, positionOf } = this.#order;
    let from = this.#events.length;
    while (from > 0 && isBefore(position, positionOf(this.#events[from - 1]!))) from -= 1;
    if (from < this.#events.length) this.#wasTaken = true;
    const reached = isBefore(position, this.#end!) ? this.#end! : position;
    return { events: this.#events.slice(from), reached };
  }

  #keep(): void {
    this.#wasTaken = true;
    this.#forgetLater();
  }

  /** Forgets the events once they were not taken for a whole interval. */
  #forgetLater(): void {
    this.#forgetting ??= setTimeout(() => {
      this.#forgetting = undefined;
      if (this.#wasTaken || this.#areAwaited()) {
        this.#wasTaken = false;
        return this.#forgetLater();
      }
      this.#events = [];
      this.#start = this.#end;
    }, keepMs).unref();
  }
}
