import { LRUCache } from 'lru-cache';
import {
  type RateLimiterAbstract,
  RateLimiterMemory,
  RateLimiterPostgres,
  RateLimiterRes,
} from 'rate-limiter-flexible';
import { RateLimited } from '../platform/errors.ts';
import type { Viewer } from '../platform/request-context.ts';

/** What is counted, in windows of a minute. */
const limitNames = ['address', 'viewer', 'write', 'ticket'] as const;
/**
 * `address`: requests from an address. `viewer`: requests of a user. `write`: commands of a user. `ticket`:
 * messages to a ticket.
 */
export type LimitName = (typeof limitNames)[number];

/** Where calls are counted, and how many are allowed. */
export interface RateLimitSettings {
  /** `postgres`: all processes share the counters. `memory`: each process counts separately. */
  readonly store: 'memory' | 'postgres' | 'off';
  readonly perMinute: Readonly<Record<LimitName, number>>;
}

/** A caller's remaining allowance. */
export interface LimitState {
  readonly name: LimitName;
  readonly max: number;
  readonly remaining: number;
  readonly resetsInSeconds: number;
}

/** The rate limits of all requests. Without a store (`off`), every call is allowed. */
export interface RateLimits {
  /**
   * Counts a call.
   * @throws RateLimited when it exceeds the limit
   */
  count(limit: LimitName, key: string | number): Promise<void>;
  /**
   * Checks whether another call is allowed, without counting.
   * @throws RateLimited
   */
  assertRoom(limit: LimitName, key: string | number): Promise<void>;
  /** The state of a limit; undefined: rate limits are off. */
  state(limit: LimitName, key: string | number): Promise<LimitState | undefined>;
  /** Keys that count a viewer's messages to a ticket. */
  readonly tickets: TicketKeys;
}

/** Runs a statement. */
export type Query = (text: string, values: readonly unknown[]) => Promise<readonly object[]>;

const windowSeconds = 60;
const table = 'rate_limits';

/**
 * Creates the rate limits.
 * @param exceeded called for each call that exceeds a limit
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
  const limiters = Object.fromEntries(
    limitNames.map((name) => [name, open(store, name, perMinute[name], query)] as const),
  ) as Record<LimitName, RateLimiterAbstract>;
  const refuse = (limit: LimitName, { msBeforeNext }: RateLimiterRes): RateLimited => {
    exceeded(limit);
    return new RateLimited(limit, Math.max(1, Math.ceil(msBeforeNext / 1000)));
  };
  return {
    tickets,
    async count(limit, key) {
      try {
        await limiters[limit].consume(key);
      } catch (error) {
        throw error instanceof RateLimiterRes ? refuse(limit, error) : error;
      }
    },
    async assertRoom(limit, key) {
      const found = await limiters[limit].get(key);
      if (found !== null && found.consumedPoints >= perMinute[limit] && found.msBeforeNext > 0)
        throw refuse(limit, found);
    },
    async state(limit, key) {
      const found = await limiters[limit].get(key);
      const live = found !== null && found.msBeforeNext > 0 ? found : undefined;
      return {
        name: limit,
        max: perMinute[limit],
        remaining: Math.max(0, perMinute[limit] - (live?.consumedPoints ?? 0)),
        resetsInSeconds: live === undefined ? windowSeconds : Math.ceil(live.msBeforeNext / 1000),
      };
    },
  };
}

function open(
  store: 'memory' | 'postgres',
  name: LimitName,
  points: number,
  query: Query,
): RateLimiterAbstract {
  const memory = new RateLimiterMemory({ keyPrefix: name, points, duration: windowSeconds });
  if (store === 'memory') return memory;
  return new RateLimiterPostgres({
    storeClient: {
      query: async ({ text, values }: { text: string; values: readonly unknown[] }) => {
        const rows = await query(text, values);
        return { rows, rowCount: rows.length };
      },
    },
    storeType: 'client',
    tableName: table,
    tableCreated: true,
    keyPrefix: name,
    points,
    duration: windowSeconds,
    // A caller over the limit is rejected from memory, without a statement, until the window ends.
    inMemoryBlockOnConsumed: points + 1,
    // The garbage collector deletes expired rows.
    clearExpiredByTimeout: false,
    // While the database is unavailable, each process counts separately.
    insuranceLimiter: memory,
  });
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
