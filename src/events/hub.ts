import type postgres from 'postgres';
import { eventsChannel } from '../db/notify-channels.ts';
import { outsideSpans } from '../observe/tracing.ts';
import type { Logger } from '../platform/log.ts';

/**
 * The watched tickets are checked this often, in one statement for all of them, milliseconds. A
 * notification that is lost with a connection only delays an event.
 */
const checkEveryMs = 15_000;
/**
 * How long LISTEN continues after the last subscription ended, milliseconds. A client that lost its
 * connection is usually back by then.
 */
const listenOnMs = 60_000;
/** How long after a LISTEN that failed it is tried again, milliseconds. */
const tryAgainMs = 1000;

/** For `watch`, in place of a ticket's id: notifies of the events of every ticket. */
export const anyTicket = 0;

/**
 * Notifies watchers whenever a ticket may have new events, which they then read from the table. A process has
 * one LISTEN however many watchers it has. It ends 60 seconds after the last one, because each commit wakes
 * every listener. Disposing the hub aborts `ending` and closes the connection of LISTEN.
 */
export interface EventHub extends AsyncDisposable {
  /** Aborted when the hub is disposed, because the gateway stops. */
  readonly ending: AbortSignal;
  /**
   * Calls `notify` after each commit with events of the ticket (of any, for `anyTicket`), until the result is
   * disposed. That is at once, or within 15 seconds if a notification was lost or LISTEN does not work. It is
   * sometimes called when there are no events; for `anyTicket` at least every 15 seconds. After this call,
   * await `listening()`: until it resolves, a commit may be noticed up to 15 seconds late.
   */
  watch(ticketId: number, notify: () => void): Disposable;
  /**
   * Starts LISTEN if it is not started. Resolves when no later commit is missed: LISTEN works, or has failed.
   * A failure is logged. LISTEN is tried again every second, and notifies of every watched ticket when it
   * works; until then these are checked every 15 seconds, as they always are.
   */
  listening(): Promise<void>;
}

/** What the hub needs. */
export interface HubPorts {
  /**
   * Opens a client with one connection, for LISTEN. The hub ends it 60 seconds after the last watcher,
   * because a LISTEN that has outlived its connection cannot be removed, and opens another one when it needs
   * one.
   */
  readonly open: () => postgres.Sql;
  /** Finds the number of each ticket's last event, by ticket id. */
  readonly findLastNumbers: (ticketIds: readonly number[]) => Promise<ReadonlyMap<number, number>>;
  readonly log: Logger;
}

interface Watched {
  readonly watchers: Set<() => void>;
  /** Number of the ticket's last event at the last check. Undefined before the first one. */
  lastNumber: number | undefined;
}

/** Creates the hub. It connects to the database when `listening` is called for the first time. */
export function createEventHub({ open, findLastNumbers, log }: HubPorts): EventHub {
  const watched = new Map<number, Watched>();
  const ending = new AbortController();
  const listener = createListener(open, log);
  let timer: NodeJS.Timeout | undefined;

  function notify(ticketId: number): void {
    for (const one of watched.get(ticketId)?.watchers ?? []) one();
  }
  function hear(payload: string): void {
    for (const id of payload.split(',')) notify(Number(id));
    notify(anyTicket);
  }
  // After a reconnect, because notifications were lost meanwhile.
  function notifyAll(): void {
    for (const id of watched.keys()) notify(id);
  }

  async function check(): Promise<void> {
    try {
      await listener.start(hear, notifyAll);
      notify(anyTicket);
      const ids = [...watched.keys()].filter((id) => id !== anyTicket);
      if (ids.length === 0) return;
      for (const [id, lastNumber] of await findLastNumbers(ids)) {
        const one = watched.get(id);
        if (one === undefined || one.lastNumber === lastNumber) continue;
        one.lastNumber = lastNumber;
        notify(id);
      }
    } catch (err) {
      log.warn({ err }, 'reading new events failed');
    }
  }

  function unwatch(ticketId: number, notified: () => void): void {
    const one = watched.get(ticketId);
    one?.watchers.delete(notified);
    if (one?.watchers.size === 0) watched.delete(ticketId);
    if (watched.size > 0) return;
    clearInterval(timer);
    timer = undefined;
    listener.stopLater();
  }

  return {
    ending: ending.signal,
    watch(ticketId, notified) {
      const one = watched.get(ticketId) ?? { watchers: new Set(), lastNumber: undefined };
      one.watchers.add(notified);
      watched.set(ticketId, one);
      timer ??= outsideSpans(() => setInterval(check, checkEveryMs).unref());
      return { [Symbol.dispose]: () => unwatch(ticketId, notified) };
    },
    listening: () => listener.start(hear, notifyAll),
    async [Symbol.asyncDispose]() {
      ending.abort();
      clearInterval(timer);
      await listener.stop();
    },
  };
}

/** One LISTEN that is started on demand. */
function createListener(open: () => postgres.Sql, log: Logger) {
  let client: postgres.Sql | undefined;
  let listening: Promise<unknown> | undefined;
  let idle: NodeJS.Timeout | undefined;
  let retry: NodeJS.Timeout | undefined;
  let isFailing = false;

  async function close(): Promise<void> {
    const heard = client;
    client = undefined;
    listening = undefined;
    await heard?.end({ timeout: 1 }).catch((err) => log.debug({ err }, 'closing the listener failed'));
  }

  async function stop(): Promise<void> {
    clearTimeout(idle);
    clearTimeout(retry);
    await close();
  }

  async function listen(hear: (payload: string) => void, again: () => void): Promise<void> {
    client ??= open();
    const on = client;
    listening ??= outsideSpans(() => on.listen(eventsChannel, hear, again));
    const tried = listening;
    try {
      await tried;
      isFailing = false;
    } catch (err) {
      // Of all who waited for it, one opens the next connection.
      if (tried !== listening) return;
      if (!isFailing) log.error({ err }, 'LISTEN for events failed; subscriptions poll instead');
      isFailing = true;
      const closed = close();
      clearTimeout(retry);
      retry = setTimeout(listen, tryAgainMs, hear, again).unref();
      await closed;
    }
  }

  return {
    stop,
    stopLater(): void {
      clearTimeout(idle);
      idle = setTimeout(stop, listenOnMs).unref();
    },
    start(hear: (payload: string) => void, again: () => void): Promise<void> {
      clearTimeout(idle);
      return listen(hear, again);
    },
  };
}
