import { isIPv6 } from 'node:net';
import { BadCredential } from '../platform/errors.ts';
import { createFairQueue } from './fair-queue.ts';

/** Size of a bucket, and how many tokens it gains per second. */
interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}
interface Bucket {
  left: number;
  at: number;
}

/** Limits memory, because a stranger can create any number of keys; the oldest are dropped first. */
const maxBuckets = 20_000;

/**
 * Token buckets by key: a key may be taken `burst` times at once, and `perSecond` more times each second.
 * Instants are in ms. At most 20,000 keys are kept; beyond that, the one that was changed first is forgotten,
 * and its bucket is full again.
 */
export class Buckets {
  readonly #rate: Rate;
  readonly #buckets = new Map<string, Bucket>();

  constructor(rate: Rate) {
    this.#rate = rate;
  }

  /** Number of keys that are kept. A key whose bucket is full when it is changed is not. */
  get size(): number {
    return this.#buckets.size;
  }

  /** Whole seconds until the key has a token, rounded up; 0 when it has one now. Takes none. */
  wait(key: string, at: number): number {
    const left = this.#left(key, at);
    return left >= 1 ? 0 : Math.ceil((1 - left) / this.#rate.perSecond);
  }

  /** Takes a token, even if there is none: the key then waits longer. */
  take(key: string, at: number): void {
    this.#put(key, this.#left(key, at) - 1, at);
  }

  /** Puts back a token that was taken. The bucket never has more than `burst`. */
  giveBack(key: string, at: number): void {
    this.#put(key, Math.min(this.#rate.burst, this.#left(key, at) + 1), at);
  }

  #left(key: string, at: number): number {
    const bucket = this.#buckets.get(key);
    if (bucket === undefined) return this.#rate.burst;
    // The clock has been set back: the bucket refills from now on, and not only when that time comes again.
    if (bucket.at > at) bucket.at = at;
    const gained = ((at - bucket.at) / 1000) * this.#rate.perSecond;
    return Math.min(this.#rate.burst, bucket.left + gained);
  }

  #put(key: string, left: number, at: number): void {
    this.#buckets.delete(key);
    if (left >= this.#rate.burst) return;
    this.#buckets.set(key, { left, at });
    if (this.#buckets.size > maxBuckets) this.#buckets.delete(this.#buckets.keys().next().value!);
  }
}

/** Limits failed sign-ins with a password. Instants are in ms. */
export interface Throttle {
  /**
   * Whole seconds until the address may make another attempt at any account; 0: now. Counts nothing.
   */
  wait(remoteAddress: string, at: number): number;
  /**
   * Counts an attempt as failed, unless the returned function is called: call it when the sign-in succeeds.
   * @param accounts users whose password is tried: each is counted, the address once
   * @returns a function that takes the count back, at the instant when the sign-in has succeeded; or the
   *   whole seconds to wait when the attempt is not allowed, in which case nothing is counted
   */
  attempt(accounts: readonly string[], remoteAddress: string, at: number): ((at: number) => void) | number;
}

/**
 * Creates a throttle, which counts in this process's memory. It allows ten guesses at an account from an
 * address, and one more every 6 s; fifty at an account from all addresses, and one more every 15 s; and 200
 * attempts from an address, and one more each second. That is more than the hashing queue holds, so that a
 * desk behind one address can sign in together. Guesses from elsewhere do not block an address that has not
 * failed: it has three guesses at each account, and one more every five minutes. Every bucket refills, so no
 * account is locked for good. A user who has signed in before is not throttled (see password-sign-in.ts).
 */
export function createThrottle(): Throttle {
  const pairs = new Buckets({ burst: 10, perSecond: 1 / 6 });
  const accountsOfAll = new Buckets({ burst: 50, perSecond: 1 / 15 });
  const own = new Buckets({ burst: 3, perSecond: 1 / 300 });
  const addresses = new Buckets({ burst: 200, perSecond: 1 });
  return {
    wait: (remoteAddress, at) => addresses.wait(addressKey(remoteAddress), at),
    attempt(accounts, remoteAddress, at) {
      const address = addressKey(remoteAddress);
      const tried = [...new Set(accounts)].map((account) => ({ account, pair: `${address} ${account}` }));
      const waits = tried.flatMap(({ account, pair }) => [
        pairs.wait(pair, at),
        Math.min(accountsOfAll.wait(account, at), own.wait(pair, at)),
      ]);
      const wait = Math.max(addresses.wait(address, at), ...waits);
      if (wait > 0) return wait;
      const taken = [
        [addresses, address] as const,
        ...tried.flatMap(({ account, pair }) => [
          [pairs, pair] as const,
          [own, pair] as const,
          // An attempt that the address's own allowance covers costs the account nothing.
          ...(accountsOfAll.wait(account, at) > 0 ? [] : [[accountsOfAll, account] as const]),
        ]),
      ];
      for (const [buckets, key] of taken) buckets.take(key, at);
      return (until) => {
        for (const [buckets, key] of taken) buckets.giveBack(key, until);
      };
    },
  };
}

/**
 * Creates a limit for the lookups that invalid tokens cause: 200 failures from an address, and 20 more each
 * second. A token cannot be guessed, so one with a valid form is always looked up, but above the address's
 * rate only two at a time.
 */
export function createTokenThrottle() {
  const addresses = new Buckets({ burst: 200, perSecond: 20 });
  const above = createFairQueue({ concurrency: 2, waiting: 64 });
  return {
    /**
     * Calls `verify`, and counts a BadCredential that it throws as a failure of the address.
     * @param now the clock; it is asked again when `verify` has failed
     * @param plausible whether the token has a valid form
     * @returns resolves with the result of `verify`, or rejects with its error
     * @throws BadCredential (reason `throttled`, with `retryAfterSeconds`), without calling `verify`, for an
     *   invalid form when the address has failed too often; Unavailable, as `FairQueue` does, when 64 lookups
     *   above the rate wait already
     */
    async limit<T>(
      remoteAddress: string,
      now: () => Date,
      { plausible, verify }: { readonly plausible: boolean; readonly verify: () => Promise<T> },
    ): Promise<T> {
      const address = addressKey(remoteAddress);
      const wait = addresses.wait(address, now().getTime());
      if (wait > 0 && !plausible)
        throw new BadCredential('Too many failed sign-ins', 'throttled', { retryAfterSeconds: wait });
      try {
        return await (wait > 0 ? above.run(address, verify) : verify());
      } catch (error) {
        if (error instanceof BadCredential && wait === 0) addresses.take(address, now().getTime());
        throw error;
      }
    },
  };
}

/**
 * The part of an address that is limited: the full IPv4 address, also when it is mapped to IPv6; of other
 * IPv6 addresses the /64, which is what one customer gets (`2001:db8:0:1::/64`). Other texts are returned
 * unchanged.
 */
export function addressKey(remoteAddress: string): string {
  if (!isIPv6(remoteAddress)) return remoteAddress;
  const groups = groupsOf(remoteAddress.split('%')[0]!);
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff)
    return groups.slice(6).flatMap(bytesOf).join('.');
  return `${groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(':')}::/64`;
}

const bytesOf = (group: number): number[] => [group >> 8, group & 0xff];

/** The eight numbers of an IPv6 address. */
function groupsOf(address: string): number[] {
  // The last four bytes may be written as IPv4.
  const text = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_all, ...bytes: string[]) => {
    const [a, b, c, d] = bytes.slice(0, 4).map(Number) as [number, number, number, number];
    return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  });
  const [left, right = []] = text
    .split('::')
    .map((part) => (part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16))));
  return [...left!, ...Array<number>(Math.max(0, 8 - left!.length - right.length)).fill(0), ...right];
}
