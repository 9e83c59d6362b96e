import type postgres from 'postgres';
import type { Logger } from '../log.ts';
import { eventsChannel } from './append.ts';

/** Watchers look for themselves this often, milliseconds: a wake-up that was lost with a connection delays an event, no more. */
const lookEveryMs = 15_000;

/**
 * Tells whoever watches a ticket that there may be news. One LISTEN a process, however many watch; what the news is, each reads
 * from the table, where nothing is missed or repeated.
 */
export interface EventHub extends AsyncDisposable {
  /** Yields at once, and then whenever there may be news, until the signal is aborted or the gateway ends. */
  watch(ticketId: number, signal: AbortSignal): AsyncGenerator<void>;
}

export async function createEventHub(sql: postgres.Sql, log: Logger): Promise<EventHub> {
  const bells = new Map<number, Set<() => void>>();
  const ending = new AbortController();
  const ring = (ticketId: number) => {
    for (const bell of bells.get(ticketId) ?? []) bell();
  };
  const listening = await sql.listen(
    eventsChannel,
    (payload) => {
      for (const id of payload.split(',')) ring(Number(id));
    },
    // Also after the connection was lost and is back: what was said meanwhile was said to nobody.
    () => {
      for (const id of bells.keys()) ring(id);
    },
  );

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
    }
  }

  return {
    watch,
    async [Symbol.asyncDispose]() {
      ending.abort();
      await listening.unlisten().catch((error) => log.debug({ err: error }, 'the database went first'));
    },
  };
}
