import type postgres from 'postgres';
import { eventsChannel } from '../db/channels.ts';
import type { Logger } from '../platform/log.ts';

/**
 * Subscriptions poll this often, milliseconds. A notification that is lost with a connection only delays an
 * event.
 */
const lookEveryMs = 15_000;
/**
 * How long LISTEN continues after the last subscription ended, milliseconds. A client that lost its
 * connection is usually back by then.
 */
const listenOnMs = 60_000;

/**
 * Notifies subscriptions of a ticket that there may be new events. A process has one LISTEN however many
 * subscriptions it has, and none when it has none, because each commit wakes every listener. Subscriptions
 * read the events from the table, so that none is missed or repeated.
 */
export interface EventHub extends AsyncDisposable {
  /**
   * Yields immediately, and then whenever there may be new events, until the signal is aborted or the
   * gateway stops.
   */
  watch(ticketId: number, signal: AbortSignal): AsyncGenerator<void>;
}

/**
 * Creates the hub of a process.
 * @param open opens a client with one connection. It is closed when there are no subscriptions, because a
 *   LISTEN that has outlived its connection cannot be removed.
 */
export function createEventHub(open: () => postgres.Sql, log: Logger): EventHub {
  const bells = new Map<number, Set<() => void>>();
  const ending = new AbortController();
  const ring = (ticketId: number) => {
    for (const bell of bells.get(ticketId) ?? []) bell();
  };
  let client: postgres.Sql | undefined;
  let listening: Promise<unknown> | undefined;
  let idle: NodeJS.Timeout | undefined;

  /** Resolves when every later commit is notified. */
  async function listen(): Promise<void> {
    clearTimeout(idle);
    client ??= open();
    listening ??= client.listen(
      eventsChannel,
      (payload) => {
        for (const id of payload.split(',')) ring(Number(id));
      },
      // Also called after a reconnect, because notifications were lost meanwhile.
      () => {
        for (const id of bells.keys()) ring(id);
      },
    );
    try {
      await listening;
    } catch (err) {
      log.error({ err }, 'LISTEN for events failed; subscriptions poll instead');
      await stop();
    }
  }

  async function stop(): Promise<void> {
    clearTimeout(idle);
    const heard = client;
    client = undefined;
    listening = undefined;
    await heard?.end({ timeout: 1 }).catch((err) => log.debug({ err }, 'closing the listener failed'));
  }

  async function* watch(ticketId: number, signal: AbortSignal): AsyncGenerator<void> {
    const ended = AbortSignal.any([signal, ending.signal]);
    let rung = true;
    let wake = () => {};
    const bell = () => {
      rung = true;
      wake();
    };
    const all = bells.get(ticketId) ?? new Set();
    bells.set(ticketId, all.add(bell));
    const timer = setInterval(bell, lookEveryMs).unref();
    ended.addEventListener('abort', bell);
    try {
      // Before the first read, so that no commit between the two is missed.
      await listen();
      while (!ended.aborted) {
        if (!rung) await new Promise<void>((resolve) => (wake = resolve));
        if (ended.aborted) return;
        rung = false;
        yield;
      }
    } finally {
      clearInterval(timer);
      ended.removeEventListener('abort', bell);
      all.delete(bell);
      if (all.size === 0) bells.delete(ticketId);
      if (bells.size === 0) idle = setTimeout(stop, listenOnMs).unref();
    }
  }

  return {
    watch,
    async [Symbol.asyncDispose]() {
      ending.abort();
      await stop();
    },
  };
}
