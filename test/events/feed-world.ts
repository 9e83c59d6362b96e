import { createFeeds, type Feeds } from '../../src/events/feeds.ts';
import type { EventHub } from '../../src/events/hub.ts';
import type { Page } from '../../src/events/recent-events.ts';
import type { TicketContext } from '../../src/tickets/context.ts';
import type { TicketEvent } from '../../src/tickets/events/event.ts';
import { EventWatcher } from '../../src/tickets/events/watcher.ts';
import { between } from '../crash/support/random.ts';

/* A world of chance for feeds: lists that grow, reads that are slow or fail, watchers who come and go. */

/** An event of a list: its position, and whether watchers with the filter want it. */
export interface ListedEvent extends TicketEvent {
  readonly at: readonly [number];
  readonly isOdd: boolean;
}
type Position = ListedEvent['at'];

/** Waits for so many microtasks. */
export async function microtasks(count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) await undefined;
}

/** A short time of chance: nothing, some microtasks, or some milliseconds. */
export async function aWhile(random: () => number): Promise<void> {
  const what = random();
  if (what < 0.3) return;
  if (what < 0.7) return microtasks(between(random, 1, 6));
  const { promise, resolve } = Promise.withResolvers<void>();
  // Clock: a fake one, which the test moves on.
  setTimeout(resolve, what < 0.97 ? between(random, 0, 20) : 1500);
  return promise;
}

/** A list as a database has it. What is held cannot be read yet, and is freed without a notification. */
export class GrowingList {
  readonly events: ListedEvent[] = [];
  readonly key: string;
  readonly #random: () => number;
  #freeCount = 0;
  #isHeld = false;
  /** Whether reads fail now and then. */
  mayFail = true;

  constructor(key: string, random: () => number) {
    this.key = key;
    this.#random = random;
  }

  append(count: number): void {
    for (let n = 0; n < count; n += 1) {
      const at: Position = [(this.events.at(-1)?.at[0] ?? 0) + between(this.#random, 1, 3)];
      this.events.push({ at, isOdd: at[0] % 2 === 1, createdAt: new Date(0) } as unknown as ListedEvent);
    }
    if (!this.#isHeld) this.#freeCount = this.events.length;
  }

  /** Holds what is appended from now on. */
  hold(): void {
    this.#isHeld = true;
  }

  free(): void {
    this.#isHeld = false;
    this.#freeCount = this.events.length;
  }

  /** What can be read now. */
  get readable(): ListedEvent[] {
    return this.events.slice(0, this.#freeCount);
  }

  /** A position after all events that can be read now, and before all others. */
  get now(): Position {
    return [(this.readable.at(-1)?.at[0] ?? 0) + 0.5];
  }

  /** Reads a page: short, long, or with fewer events than there are. @param odd whether only odd ones */
  async read([after]: Position, odd: boolean): Promise<Page<ListedEvent, Position>> {
    const random = this.#random;
    await aWhile(random);
    if (this.mayFail && random() < 0.03) throw new Error('The database is down');
    const free = this.readable.filter(({ at }) => at[0] > after);
    const areHeld = this.#freeCount < this.events.length;
    const scanned = free.slice(0, random() < 0.3 ? between(random, 1, 3) : 250);
    const page: Page<ListedEvent, Position> = {
      events: odd ? scanned.filter(({ isOdd }) => isOdd) : scanned,
      reached: [scanned.at(-1)?.at[0] ?? after],
      more: scanned.length < free.length || random() < 0.1,
      areHeld,
    };
    await aWhile(random);
    if (this.mayFail && random() < 0.02) throw new Error('The connection is lost');
    return page;
  }
}

/** The feeds of a process, and how it hears of commits. */
export interface FeedWorld {
  readonly feeds: Feeds;
  readonly stop: () => void;
  /** A commit notifies those who watch the list, a little later. */
  commit(list: GrowingList, count: number): Promise<void>;
}

export function createWorld(random: () => number): FeedWorld {
  const watched = new Map<number, Set<() => void>>();
  const ending = new AbortController();
  const hub: Pick<EventHub, 'ending' | 'watch' | 'listening'> = {
    ending: ending.signal,
    watch(ticketId, notify) {
      const all = watched.get(ticketId) ?? new Set();
      watched.set(ticketId, all.add(notify));
      return { [Symbol.dispose]: () => void all.delete(notify) };
    },
    listening: () => microtasks(between(random, 0, 5)),
  };
  return {
    feeds: createFeeds(hub as EventHub),
    stop: () => ending.abort(),
    async commit(list, count) {
      list.append(count);
      await aWhile(random);
      for (const notify of watched.get(Number(list.key)) ?? []) notify();
    },
  };
}

/** Somebody who watches a list from a position, comes back after errors, and leaves when told to. */
export class Visitor {
  readonly list: GrowingList;
  readonly wantsOdd: boolean;
  readonly seen: ListedEvent[] = [];
  readonly #from: Position;
  readonly #random: () => number;
  readonly #ctx: TicketContext;
  #watcher: EventWatcher<ListedEvent, Position> | undefined;
  isGone = false;

  constructor(list: GrowingList, feeds: Feeds, random: () => number) {
    this.list = list;
    this.#random = random;
    this.wantsOdd = random() < 0.3;
    const { events, now } = list;
    const what = random();
    if (what < 0.25) this.#from = [0];
    else this.#from = (what < 0.5 && events[between(random, 0, events.length)]?.at) || now;
    const viewer = { userId: 1, role: 'OPERATOR', scopes: new Set(['read']) };
    this.#ctx = {
      ...{ viewer, now: () => new Date(0) },
      signInAgain: () => (random() < 0.7 ? viewer : aWhile(random).then(() => viewer)),
      services: {
        ...{ events: feeds, eventDelivered: () => {} },
        subscriptionLimit: { take: () => ({ [Symbol.dispose]: () => {} }) },
      },
    } as unknown as TicketContext;
  }

  /** The events that it must see, as far as they can be read now. */
  get expected(): ListedEvent[] {
    return this.list.readable.filter(({ at, isOdd }) => at[0] > this.#from[0] && (isOdd || !this.wantsOdd));
  }

  /** Watches until it is told to go. */
  async stay(): Promise<void> {
    while (!this.isGone) {
      await aWhile(this.#random);
      await this.#watch().catch(() => {});
    }
  }

  /** Leaves for good, or to come back at its last event. */
  async leave(isForGood: boolean): Promise<void> {
    this.isGone ||= isForGood;
    await this.#watcher?.return();
  }

  async #watch(): Promise<void> {
    const { list, wantsOdd } = this;
    const read = (odd: boolean) => (after: Position) => list.read(after, odd);
    this.#watcher = await EventWatcher.start(this.#ctx, {
      feed: {
        ...{ key: list.key, ticketId: Number(list.key), read: read(false) },
        ...{ positionOf: ({ at }) => at, isBefore: ([a], [b]) => a < b },
      },
      from: this.seen.at(-1)?.at ?? this.#from,
      forOperators: undefined,
      ...(wantsOdd ? { isWanted: ({ isOdd }: ListedEvent) => isOdd } : {}),
      alone: wantsOdd ? { read: read(true), key: 'odd' } : undefined,
    });
    if (this.isGone) return void this.#watcher.return();
    for (;;) {
      const { done, value } = await this.#watcher.next();
      if (done === true) return;
      this.seen.push(value.event as ListedEvent);
      if (this.#random() < 0.3) await aWhile(this.#random);
    }
  }
}
