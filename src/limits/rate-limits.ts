import { LRUCache } from 'lru-cache';
import { RateLimited } from '../platform/errors.ts';
import type { Viewer } from '../platform/request-context.ts';
import { countInMemory, type OpenWindow, windowMs } from './counters.ts';
import { countInDatabase, type Query } from './shared-counters.ts';

/** What is counted, in windows of a minute. */
const limitNames = ['address', 'viewer', 'write', 'ticket'] as const;
/**
 * What is counted, in windows of a minute. `address`: requests from an address. `viewer`: requests of a user.
 * `write`: commands of a user. `ticket`: messages to a ticket.
 */
export type LimitName = (typeof limitNames)[number];

/** Where calls are counted, and how many are allowed. */
export interface RateLimitSettings {
  /**
   * `postgres`: all processes share the counters. `memory`: each process counts separately. `off`: nothing is
   * counted or limited.
   */
  readonly store: 'memory' | 'postgres' | 'off';
  /** Most calls in a window, for each limit. */
  readonly perMinute: Readonly<Record<LimitName, number>>;
}

/** A caller's remaining allowance in the current window. */
export interface LimitState {
  readonly name: LimitName;
  readonly max: number;
  /** Never negative. */
  readonly remaining: number;
  /** A full minute when no window is open. */
  readonly resetsInSeconds: number;
}

/**
 * The rate limits of all requests. With the store `off`, every call is allowed. A database that does not
 * respond never rejects a call: calls are counted in memory meanwhile.
 */
export interface RateLimits {
  /**
   * Counts a call, also one that exceeds the limit.
   * @throws RateLimited when it exceeds the limit, with the seconds until the window ends
   */
  count(limit: LimitName, key: string | number): Promise<void>;
  /**
   * Checks whether another call is allowed, without counting.
   * @throws RateLimited when it is not
   */
  assertRoom(limit: LimitName, key: string | number): Promise<void>;
  /** The state of a limit, without counting; undefined when rate limits are off. */
  state(limit: LimitName, key: string | number): Promise<LimitState | undefined>;
  /**
   * The keys of the limit `ticket`. `keyOf(viewer, { ticketId, reference })` returns the key that counts this
   * viewer's messages to a ticket: all operators share one, the requester has a separate one. It is undefined
   * for a reference under which nothing was written yet in this process; `learn(reference, id)` is called
   * after that.
   */
  readonly tickets: TicketKeys;
}

/**
 * Creates the rate limits.
 * @param query runs a statement; only used with the store `postgres`
 * @param exceeded called each time RateLimited is thrown
 */
export function createRateLimits(
  { store, perMinute }: RateLimitSettings,
  query: Query,
  exceeded: (limit: LimitName) => void = () => {},
): RateLimits {
  const tickets = new TicketKeys();
  if (store === 'off') {
    const nothing = async () => undefined;
    return { count: nothing, assertRoom: nothing, state: nothing, tickets };
  }
  const memory = countInMemory();
  const counters = store === 'memory' ? memory : countInDatabase(query, memory);
  const refuse = (limit: LimitName, { msLeft }: OpenWindow): RateLimited => {
    exceeded(limit);
    return new RateLimited(limit, Math.max(1, Math.ceil(msLeft / 1000)));
  };
  const keyOf = (limit: LimitName, key: string | number) => `${limit}:${key}`;
  return {
    tickets,
    async count(limit, key) {
      const max = perMinute[limit];
      const window = await counters.add(keyOf(limit, key), max);
      if (window.calls > max) throw refuse(limit, window);
    },
    async assertRoom(limit, key) {
      const window = await counters.read(keyOf(limit, key));
      if (window !== undefined && window.calls >= perMinute[limit]) throw refuse(limit, window);
    },
    async state(limit, key) {
      const max = perMinute[limit];
      const { calls, msLeft } = (await counters.read(keyOf(limit, key))) ?? { calls: 0, msLeft: windowMs };
      const remaining = Math.max(0, max - calls);
      return { name: limit, max, remaining, resetsInSeconds: Math.ceil(msLeft / 1000) };
    },
  };
}

/** Cached ticket references. */
const maxReferences = 10_000;

/**
 * Keys of the ticket limit. All operators share one limit per ticket. The requester has a separate one, which
 * does not reveal private messages of operators.
 */
class TicketKeys {
  // By size, as `max` would reserve memory for all of them.
  readonly #ids = new LRUCache<string, number>({ maxSize: maxReferences, sizeCalculation: () => 1 });

  /**
   * The key that counts this viewer's messages to a ticket.
   * @returns undefined for a reference that is not cached, because nothing was written under it
   */
  keyOf(
    viewer: Viewer,
    { ticketId, reference }: { readonly ticketId: number | null; readonly reference: string | null },
  ): string | undefined {
    const id = ticketId ?? this.#ids.get((reference ?? '').toLowerCase());
    if (id === undefined) return undefined;
    return viewer.role === 'OPERATOR' ? String(id) : `${id}:${viewer.userId}`;
  }

  /** Called after a message was written to a ticket under this reference. */
  learn(reference: string | null, id: number): void {
    if (reference !== null) this.#ids.set(reference.toLowerCase(), id);
  }
}
