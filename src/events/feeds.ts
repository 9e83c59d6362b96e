import { type BeginInTurn, type CallInTurns, Feed, type FeedPorts, type ReadAlone } from './feed.ts';
import type { EventHub } from './hub.ts';
import type { Page } from './recent-events.ts';

/** Most watchers to wake in one turn of the event loop, so that other requests get a turn in between. */
const perTurn = 200;
/**
 * Feeds that are read and whose watchers are woken at the same time, at most. When a thousand tickets change
 * in the same moment, the events of the last ones are not in memory before the first ones were shown. V8 then
 * collects most of them while they are young. It collects old objects only when the heap has doubled.
 */
const feedsAtOnce = 100;

/** A list of events to watch. */
export interface FeedOf<E, P> extends FeedPorts<E, P> {
  /**
   * Names the list, and the viewers who see the same of it. Watchers with the same key share one feed, which
   * uses the `read` of the first of them.
   */
  readonly key: string;
  /** The ticket whose commits notify the feed, or `anyTicket`. */
  readonly ticketId: number;
}

/** A watcher's connection to a feed. Disposing it leaves the feed: `wake` is not called any more. */
export interface Watching<E, P> extends Disposable {
  /**
   * The next page of events after a position, oldest first. Without a promise if the events are in memory. If
   * `more` is false, `wake` will be called when there may be later events. Rejects when the read fails; the
   * watcher may then call it again.
   */
  next(after: P): Page<E, P> | Promise<Page<E, P>>;
  /** Whether the gateway is stopping. Then no more events come, and the watcher should end. */
  readonly isOver: boolean;
}

/**
 * The feeds that have watchers in this process. A feed is created for its first watcher and dropped after its
 * last.
 */
export interface Feeds {
  /**
   * Adds a watcher to a list's feed. Resolves as soon as no later commit can be missed. The events until then
   * are read with `next`.
   * @param wake called without arguments when there may be new events, and when the gateway stops; also
   *   before this resolves, and sometimes when there are none. Each watcher needs a function object of its
   *   own, which identifies it
   * @param alone how this watcher reads while it is behind; without it, as the feed reads
   */
  watch<E, P>(of: FeedOf<E, P>, wake: () => void, alone?: ReadAlone<E, P>): Promise<Watching<E, P>>;
}

interface Opened {
  readonly feed: Feed<never, never>;
  readonly subscription: Disposable;
}

/**
 * Creates the feeds of a process; at first there is none. When the hub is disposed, all watchers are woken,
 * so that they end.
 * @param hub notifies the feeds of commits
 */
export function createFeeds(hub: EventHub): Feeds {
  const opened = new Map<string, Opened>();
  const callInTurns = createTurns();
  const beginInTurn = createQueue();
  hub.ending.addEventListener('abort', () => {
    for (const { feed } of opened.values()) feed.end();
  });

  function open<E, P>(of: FeedOf<E, P>): Feed<E, P> {
    const known = opened.get(of.key) as { feed: Feed<E, P> } | undefined;
    if (known !== undefined) return known.feed;
    const feed = new Feed<E, P>(of, callInTurns, beginInTurn);
    const subscription = hub.watch(of.ticketId, () => feed.notify());
    opened.set(of.key, { feed: feed as unknown as Opened['feed'], subscription });
    return feed;
  }

  function leave<E, P>(key: string, feed: Feed<E, P>, wake: () => void): void {
    if (!feed.leave(wake)) return;
    const known = opened.get(key);
    // One who leaves a second time finds the feed empty, while another one under its key has watchers.
    if (known === undefined || known.feed !== (feed as unknown)) return;
    known.subscription[Symbol.dispose]();
    opened.delete(key);
  }

  return {
    async watch(of, wake, alone) {
      const feed = open(of);
      feed.join(wake);
      await hub.listening();
      return {
        next: (after) => feed.after(after, alone),
        get isOver() {
          return hub.ending.aborted;
        },
        [Symbol.dispose]: () => leave(of.key, feed, wake),
      };
    },
  };
}

/** Makes at most `perTurn` calls in a turn of the event loop, over all feeds. */
function createTurns(): CallInTurns {
  const waiting: { readonly calls: Iterator<() => void>; readonly done: () => void }[] = [];
  function takeTurn(): void {
    let left = perTurn;
    while (waiting.length > 0 && left > 0) {
      const { done, value } = waiting[0]!.calls.next();
      if (done === true) waiting.shift()!.done();
      else {
        left -= 1;
        value();
      }
    }
    if (waiting.length > 0) setImmediate(takeTurn);
  }
  return (calls) =>
    new Promise((resolve) => {
      waiting.push({ calls: calls[Symbol.iterator](), done: resolve });
      if (waiting.length === 1) setImmediate(takeTurn);
    });
}

/** Begins what fits, and the rest in order as what was begun ends. */
function createQueue(): BeginInTurn {
  const waiting: (() => Promise<void>)[] = [];
  let underway = 0;
  async function begin(work: () => Promise<void>): Promise<void> {
    underway += 1;
    try {
      await work();
    } finally {
      underway -= 1;
      const next = waiting.shift();
      if (next !== undefined) void begin(next);
    }
  }
  return (work) => {
    if (underway < feedsAtOnce) void begin(work);
    else waiting.push(work);
  };
}
