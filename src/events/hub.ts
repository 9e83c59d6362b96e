import type postgres from 'postgres';
import { eventsChannel } from '../db/channels.ts';
import type { Logger } from '../platform/log.ts';

/**
 * Watchers look for themselves this often, milliseconds: a wake-up that was lost with a connection delays an
 * event, no more.
 */
const lookEveryMs = 15_000;
/**
 * How long it goes on listening when nobody watches any more: whoever's connection was lost is back by then.
 */
const listenOnMs = 60_000;

/**
 * Tells whoever watches a ticket that there may be news. One LISTEN a process, however many watch, and none
 * while nobody does: each commit wakes all who listen. What the news is, each reads from the table, where
 * nothing is missed or repeated.
 */
export interface EventHub extends AsyncDisposable {
  /** Yields at once, and then whenever there may be news, until the signal is aborted or the gateway ends. */
  watch(ticketId: number, signal: AbortSignal): AsyncGenerator<void>;
}

/**
 * @param open makes a client of one connection: ended when nobody watches, as a LISTEN that has outlived a
 * connection cannot be taken back
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

  /** Resolves when whatever is committed from now on rings. */
  async function listen(): Promise<void> {
    clearTimeout(idle);
    client ??= open();
    listening ??= client.listen(
      eventsChannel,
      (payload) => {
        for (const id of payload.split(',')) ring(Number(id));
      },
      // Also after the connection was lost and is back: what was said meanwhile was said to nobody.
      () => {
        for (const id of bells.keys()) ring(id);
      },
    );
    try {
      await listening;
    } catch (err) {
      log.error({ err }, 'events cannot be listened to; watchers look for themselves');
      await stop();
    }
  }

  async function stop(): Promise<void> {
    clearTimeout(idle);
    const heard = client;
    client = undefined;
    listening = undefined;
    await heard?.end({ timeout: 1 }).catch((err) => log.debug({ err }, 'the database went first'));
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
      // Before the first look, so that nothing is committed between the two unheard.
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
