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

/** One watcher of a feed. Disposing of it ends the watch. */
export interface Watching<P, E> extends Disposable {
  /**
   * Resolves with the next page after a position, as soon as there is one. Undefined when the watcher has
   * disconnected or the gateway stops.
   */
  next(after: P): Promise<Page<E, P> | undefined>;
}

/**
 * The feeds that have watchers in this process. A feed is created for its first watcher and dropped after its
 * last.
 */
export interface Feeds {
  /**
   * Joins the feed with this key. @param away is aborted when the watcher disconnects @param readAlone reads
   * while the watcher is behind
   */
  watch<E, P>(of: FeedOf<E, P>, away: AbortSignal, readAlone?: ReadAfter<E, P>): Promise<Watching<P, E>>;
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
    async watch(of, away, readAlone) {
      const feed = open(of);
      let resolve = () => {};
      const wake = () => resolve();
      const isGone = () => away.aborted || hub.ending.aborted;
      feed.join(wake);
      away.addEventListener('abort', wake, { once: true });
      // Before the first read, so that no commit between the two is missed.
      await hub.listening();
      return {
        async next(after) {
          while (!isGone()) {
            const page = await feed.after(after, readAlone);
            if (page.events.length > 0 || page.more) {
              await turn();
              return page;
            }
            after = page.reached;
            if (!feed.hasNews && !isGone()) await new Promise<void>((woken) => (resolve = woken));
          }
          return undefined;
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
