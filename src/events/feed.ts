import { type EventOrder, type Page, RecentEvents, type Takers } from './recent-events.ts';
import { SharedReads } from './shared-reads.ts';

/** Reads the next page of events after a position from the database, oldest first. */
export type ReadAfter<E, P> = (after: P) => Promise<Page<E, P>>;

/** What a feed needs to read its list. */
export interface FeedPorts<E, P> extends EventOrder<E, P> {
  readonly read: ReadAfter<E, P>;
}

/** How a watcher who is behind reads, if it wants less than the whole list. */
export interface ReadAlone<E, P> {
  readonly read: ReadAfter<E, P>;
  /**
   * Names what is wanted of the list. Watchers with the same key who are at the same position share a read
   * that is under way.
   */
  readonly key: string;
}

/**
 * Calls the functions in their order, a limited number of them in each turn of the event loop. Resolves when
 * all were called.
 */
export type CallInTurns = (calls: Iterable<() => void>) => Promise<void>;

/** Begins the work now, or later when other feeds have ended theirs. It returns at once. */
export type BeginInTurn = (work: () => Promise<void>) => void;

/** Milliseconds after which held events are read again: at first, and at most. */
const leastHeldMs = 25;
const mostHeldMs = 1000;

/**
 * The events of one list, for viewers who all see the same of it. After a notification, the new events are
 * read once for all watchers at the end of the list, and then each watcher's `wake` is called. The watcher
 * takes the events with `after`. If ten thousand of them awaited the read, or their turn, each would hold the
 * memory of a suspended call. A watcher who is behind reads from its own position until it has caught up.
 */
export class Feed<E, P> implements Takers {
  readonly #ports: FeedPorts<E, P>;
  readonly #callInTurns: CallInTurns;
  readonly #beginInTurn: BeginInTurn;
  readonly #recent: RecentEvents<E, P>;
  readonly #behind = new SharedReads<Page<E, P>>();
  #notified = 1;
  /** The value of `#notified` when the last read that reached the end began. */
  #readAt = 0;
  #reading: Promise<void> | undefined;
  #isWaking = false;
  #held: NodeJS.Timeout | undefined;
  #heldMs = leastHeldMs;
  readonly #wakes = new Set<() => void>();

  /** @param beginInTurn default: begins the work at once */
  constructor(
    ports: FeedPorts<E, P>,
    callInTurns: CallInTurns,
    beginInTurn: BeginInTurn = (work) => void work(),
  ) {
    this.#ports = ports;
    this.#callInTurns = callInTurns;
    this.#beginInTurn = beginInTurn;
    this.#recent = new RecentEvents(ports, this);
  }

  /**
   * Adds a watcher. From now on `wake` is called after notifications, once for several that come close
   * together, and by `end`. After a notification, the new events were read before the call, or reading them
   * failed: then `after` reads again, and its caller gets the error.
   */
  join(wake: () => void): void {
    this.#wakes.add(wake);
  }

  /**
   * Removes a watcher.
   * @returns whether no watcher is left
   */
  leave(wake: () => void): boolean {
    this.#wakes.delete(wake);
    return this.#wakes.size === 0;
  }

  /**
   * Must be called when there may be new events. It begins to read them and to wake the watchers, and returns
   * at once.
   */
  notify(): void {
    this.#notified += 1;
    if (this.#isWaking) return;
    this.#isWaking = true;
    this.#beginInTurn(() => this.#wakeAll());
  }

  /** Number of watchers. */
  get count(): number {
    return this.#wakes.size;
  }

  /** Whether it is still reading after a notification, or still waking the watchers. */
  get areWoken(): boolean {
    return this.#isWaking;
  }

  /** Calls each watcher's `wake` before it returns, without a read, because the gateway stops. */
  end(): void {
    for (const wake of this.#wakes) wake();
  }

  /**
   * Reads what notifications announce and wakes the watchers, and again until each notification was followed
   * by both.
   */
  async #wakeAll(): Promise<void> {
    const notified = this.#notified;
    // Watchers get the error of a failed read from their own read.
    const isRead = this.#recent.end !== undefined && (await this.#readNews().catch(() => false));
    await this.#callInTurns(this.#wakes);
    if (this.#wakes.size > 0 && (notified !== this.#notified || (isRead && this.hasNews)))
      this.#beginInTurn(() => this.#wakeAll());
    else this.#isWaking = false;
  }

  async #readNews(): Promise<true> {
    this.#reading ??= this.#readOn();
    await this.#reading;
    return true;
  }

  /**
   * Whether there may be events that were not read yet: at first, and after a notification until a read that
   * began later has reached the end of the list.
   */
  get hasNews(): boolean {
    return this.#notified !== this.#readAt;
  }

  /**
   * The next page of events after a position, oldest first. It is empty at the end of the list. Without a
   * promise if the events are in memory. The promise rejects when the read fails.
   * @param alone how this watcher reads while it is behind; without it, as the feed reads
   */
  after(position: P, alone?: ReadAlone<E, P>): Page<E, P> | Promise<Page<E, P>> {
    const { end } = this.#recent;
    const isAtEnd = end !== undefined && !this.#ports.isBefore(position, end);
    if (!isAtEnd || !this.hasNews) return this.#take(position, alone);
    this.#reading ??= this.#readOn();
    return this.#reading.then(() => this.#take(position, alone));
  }

  /** The next page, from memory if it is there. */
  #take(position: P, alone: ReadAlone<E, P> | undefined): Page<E, P> | Promise<Page<E, P>> {
    return this.#recent.after(position, this.hasNews) ?? this.#readBehind(position, alone);
  }

  /**
   * Thousands of watchers may be behind at the same time, for example after a restart. Those at the same
   * position share a read. A read that began before a notification is not shared with watchers who come
   * later.
   */
  #readBehind(position: P, alone: ReadAlone<E, P> | undefined): Promise<Page<E, P>> {
    const notified = this.#notified;
    const name = JSON.stringify([notified, position, alone?.key]);
    return this.#behind.read(name, async () => {
      const page = await (alone ?? this.#ports).read(position);
      if (this.#recent.end === undefined && !page.more) {
        this.#recent.begin(page.reached);
        this.#readAt = notified;
      }
      if (alone === undefined) this.#recent.prepend(position, page);
      this.#readAgainLater(page);
      return page;
    });
  }

  async #readOn(): Promise<void> {
    const notified = this.#notified;
    try {
      const page = await this.#ports.read(this.#recent.end!);
      this.#readAgainLater(page);
      this.#recent.append(page);
      if (!page.more) this.#readAt = notified;
    } finally {
      this.#reading = undefined;
    }
  }

  /** No notification comes at the end of a transaction that held events but has written none. */
  #readAgainLater({ areHeld = false }: Page<E, P>): void {
    if (!areHeld) this.#heldMs = leastHeldMs;
    if (!areHeld || this.#held !== undefined) return;
    this.#held = setTimeout(() => {
      this.#held = undefined;
      if (this.#wakes.size > 0) this.notify();
    }, this.#heldMs).unref();
    this.#heldMs = Math.min(mostHeldMs, 2 * this.#heldMs);
  }
}
