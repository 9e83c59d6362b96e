/** One page of events after a position. */
export interface Page<E, P> {
  /** Oldest first. */
  readonly events: readonly E[];
  /** Position from which to read on. */
  readonly reached: P;
  /** Whether there may already be more events after it. */
  readonly more: boolean;
  /** Whether other watchers receive the same event objects. */
  readonly isShared?: boolean;
  /** Whether later events cannot be read yet, because an older transaction is under way. */
  readonly areHeld?: boolean;
}

/** Reads a page of events after a position from the database. */
export type ReadAfter<E, P> = (after: P) => Promise<Page<E, P>>;

/** What a feed needs to read its list. */
export interface FeedPorts<E, P> {
  readonly read: ReadAfter<E, P>;
  readonly positionOf: (event: E) => P;
  /** Whether position `a` is before `b`. */
  readonly isBefore: (a: P, b: P) => boolean;
}

/** Calls some functions in each turn of the event loop. Resolves when all were called. */
export type CallInTurns = (calls: Iterable<() => void>) => Promise<void>;

/**
 * Events that were read stay in memory until no watcher has taken one of them for so long, milliseconds. It
 * may take seconds until ten thousand have, and those who come late must not each read them alone.
 */
const keepMs = 1000;
/** Events that are held are read again after so many milliseconds, at first and at most. */
const leastHeldMs = 25;
const mostHeldMs = 1000;
/** Events kept in memory, at most. */
const maxKept = 200;

/**
 * The events of one list, for viewers who all see the same of it. After each notification, the new events are
 * read once for all watchers at the end of the list. They are woken when the read has ended: ten thousand who
 * waited for it, or for their turn, would each hold the memory of a call under way. A watcher who is behind
 * reads alone until it has caught up.
 */
export class Feed<E, P> {
  readonly #ports: FeedPorts<E, P>;
  readonly #callInTurns: CallInTurns;
  /** The events from `#start` to `#end`, without a gap. */
  #kept: E[] = [];
  #start: P | undefined;
  /** Everything up to here was read. Undefined until a watcher has reached the end of the list. */
  #end: P | undefined;
  #notified = 1;
  /** The value of `#notified` when the last read that reached the end began. */
  #readAt = 0;
  #reading: Promise<void> | undefined;
  #isWaking = false;
  #forgetting: NodeJS.Timeout | undefined;
  /** Whether a watcher has taken kept events since the timer was set. */
  #wasTaken = false;
  #held: NodeJS.Timeout | undefined;
  #heldMs = leastHeldMs;
  readonly #wakes = new Set<() => void>();

  constructor(ports: FeedPorts<E, P>, callInTurns: CallInTurns) {
    this.#ports = ports;
    this.#callInTurns = callInTurns;
  }

  /** Calls `wake` after each notification, when the events that it announces were read. */
  join(wake: () => void): void {
    this.#wakes.add(wake);
  }

  /** @returns whether nobody is left */
  leave(wake: () => void): boolean {
    this.#wakes.delete(wake);
    return this.#wakes.size === 0;
  }

  /** Must be called when there may be new events. */
  notify(): void {
    this.#notified += 1;
    if (!this.#isWaking) void this.#wakeAll();
  }

  /** Wakes all watchers at once, because the gateway stops. */
  end(): void {
    for (const wake of this.#wakes) wake();
  }

  /**
   * Reads what notifications announce and wakes the watchers, until each notification was followed by both.
   */
  async #wakeAll(): Promise<void> {
    this.#isWaking = true;
    let notified: number;
    let isRead: boolean;
    do {
      notified = this.#notified;
      // Watchers get the error of a failed read from their own read.
      isRead = this.#end !== undefined && (await this.#readNews().catch(() => false));
      await this.#callInTurns(this.#wakes);
    } while (this.#wakes.size > 0 && (notified !== this.#notified || (isRead && this.hasNews)));
    this.#isWaking = false;
  }

  async #readNews(): Promise<true> {
    this.#reading ??= this.#readOn();
    await this.#reading;
    return true;
  }

  /** Whether it was notified since the last read. */
  get hasNews(): boolean {
    return this.#notified !== this.#readAt;
  }

  /**
   * The next page after a position.
   * @param readAlone reads for a watcher who is behind
   */
  after(position: P, readAlone: ReadAfter<E, P> = this.#ports.read): Page<E, P> | Promise<Page<E, P>> {
    if (this.#start === undefined || this.#ports.isBefore(position, this.#start))
      return this.#readAlone(position, readAlone);
    if (!this.hasNews || this.#ports.isBefore(position, this.#end!)) return this.#keptAfter(position);
    this.#reading ??= this.#readOn();
    return this.#reading.then(() => this.#keptAfter(position));
  }

  async #readAlone(position: P, read: ReadAfter<E, P>): Promise<Page<E, P>> {
    const notified = this.#notified;
    const page = await read(position);
    if (this.#end === undefined && !page.more) {
      this.#end = page.reached;
      this.#start = page.reached;
      this.#readAt = notified;
    }
    this.#readAgainLater(page);
    return page;
  }

  async #readOn(): Promise<void> {
    const notified = this.#notified;
    try {
      const page = await this.#ports.read(this.#end!);
      const { events, reached, more } = page;
      this.#readAgainLater(page);
      this.#end = reached;
      if (!more) this.#readAt = notified;
      if (events.length > 0) this.#keep(events);
    } finally {
      this.#reading = undefined;
    }
  }

  /** No notification comes when the transaction that holds events has written none. */
  #readAgainLater({ areHeld = false }: Page<E, P>): void {
    if (!areHeld) this.#heldMs = leastHeldMs;
    if (!areHeld || this.#held !== undefined) return;
    this.#held = setTimeout(() => {
      this.#held = undefined;
      if (this.#wakes.size > 0) this.notify();
    }, this.#heldMs).unref();
    this.#heldMs = Math.min(mostHeldMs, 2 * this.#heldMs);
  }

  #keep(events: readonly E[]): void {
    this.#kept.push(...events);
    const dropped = this.#kept.splice(0, Math.max(0, this.#kept.length - maxKept));
    if (dropped.length > 0) this.#start = this.#ports.positionOf(dropped.at(-1)!);
    this.#wasTaken = true;
    this.#forgetLater();
  }

  /** Forgets the events once they were not taken for a whole interval. */
  #forgetLater(): void {
    this.#forgetting ??= setTimeout(() => {
      this.#forgetting = undefined;
      if (this.#wasTaken) {
        this.#wasTaken = false;
        return this.#forgetLater();
      }
      this.#kept = [];
      this.#start = this.#end;
    }, keepMs).unref();
  }

  #keptAfter(position: P): Page<E, P> {
    const { isBefore, positionOf } = this.#ports;
    let from = this.#kept.length;
    while (from > 0 && isBefore(position, positionOf(this.#kept[from - 1]!))) from -= 1;
    if (from < this.#kept.length) this.#wasTaken = true;
    const reached = isBefore(position, this.#end!) ? this.#end! : position;
    return { events: this.#kept.slice(from), reached, more: this.hasNews, isShared: true };
  }
}
