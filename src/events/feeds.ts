import { Feed, type FeedPorts, type Page, type ReadAfter } from './feed.ts';
import type { EventHub } from './hub.ts';

/** Watchers who are woken in one turn of the event loop, at most: other requests get theirs in between. */
const perTurn = 200;

/** A list of events to watch. */
export interface FeedOf<E, P> extends FeedPorts<E, P> {
  /** Names the list and the class of its viewers. Watchers with the same key share reads. */
  readonly key: string;
  /** The ticket whose commits ring the feed, or `anyTicket`. */
  readonly ticketId: number;
}

/** One watcher's place in a feed. */
export interface Watching<E, P> extends Disposable {
  /** The next page after a position. An empty one without `more`: `wake` is called when there may be news. */
  next(after: P): Page<E, P> | Promise<Page<E, P>>;
  /** Resolves when it is this watcher's turn. */
  turn(): Promise<void> | undefined;
  /** Whether the gateway stops. */
  readonly isOver: boolean;
}

/**
 * The feeds that have watchers in this process. A feed is created for its first watcher and dropped after its
 * last.
 */
export interface Feeds {
  /**
   * Resolves when no later commit is missed.
   * @param readAlone reads while the watcher is behind
   */
  watch<E, P>(of: FeedOf<E, P>, wake: () => void, readAlone?: ReadAfter<E, P>): Promise<Watching<E, P>>;
}

interface Opened {
  readonly feed: Feed<never, never>;
  readonly bell: Disposable;
}

/** Creates the feeds. @param hub rings them */
export function createFeeds(hub: EventHub): Feeds {
  const opened = new Map<string, Opened>();
  const turn = createTurns();
  hub.ending.addEventListener('abort', () => {
    for (const { feed } of opened.values()) feed.ring();
  });

  function open<E, P>(of: FeedOf<E, P>): Feed<E, P> {
    const known = opened.get(of.key) as { feed: Feed<E, P> } | undefined;
    if (known !== undefined) return known.feed;
    const feed = new Feed<E, P>(of);
    const bell = hub.watch(of.ticketId, () => feed.ring());
    opened.set(of.key, { feed: feed as unknown as Opened['feed'], bell });
    return feed;
  }

  function leave(key: string, feed: { leave(wake: () => void): boolean }, wake: () => void): void {
    if (!feed.leave(wake)) return;
    opened.get(key)?.bell[Symbol.dispose]();
    opened.delete(key);
  }

  return {
    async watch(of, wake, readAlone) {
      const feed = open(of);
      feed.join(wake);
      await hub.listening();
      return {
        next: (after) => feed.after(after, readAlone),
        turn,
        get isOver() {
          return hub.ending.aborted;
        },
        [Symbol.dispose]: () => leave(of.key, feed, wake),
      };
    },
  };
}

/** Resolves for so many callers in each turn of the event loop. */
function createTurns(): () => Promise<void> | undefined {
  let left = perTurn;
  const waiting: (() => void)[] = [];
  let isDue = false;
  const begin = () => {
    isDue = false;
    left = perTurn - Math.min(perTurn, waiting.length);
    const called = waiting.splice(0, perTurn);
    if (waiting.length > 0) due();
    for (const call of called) call();
  };
  const due = () => {
    if (isDue) return;
    isDue = true;
    setImmediate(begin);
  };
  return () => {
    due();
    if (left === 0) return new Promise((resolve) => waiting.push(resolve));
    left -= 1;
    return undefined;
  };
}
