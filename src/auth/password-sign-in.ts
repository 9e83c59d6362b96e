import { setTimeout as sleep } from 'node:timers/promises';
import { and, eq } from 'drizzle-orm';
import type { Db } from '../db/database.ts';
import { users } from '../db/tables.ts';
import { BadCredential } from '../platform/errors.ts';
import type { Logger } from '../platform/log.ts';
import type { Credential } from './authorization-header.ts';
import { createCostliestHash } from './costliest-hash.ts';
import { maxProofAgeMs, type VerifiedCredential } from './credential-cache.ts';
import { createFairQueue } from './fair-queue.ts';
import { type Account, prepareFindByLogin, viewerOf } from './find-account.ts';
import { checkPassword } from './passwords.ts';
import type { ScryptParameters } from './scrypt.ts';
import { addressKey, createThrottle } from './throttle.ts';

/**
 * The response to a wrong password is delayed to a multiple of this, so that its time does not distinguish
 * an unknown login from a known one, or an imported hash from a new one.
 */
const answerEveryMs = 500;
/**
 * Cached wrong credentials. A client that repeats one all day causes no hashing and does not use up its
 * login's guesses.
 */
const maxWrong = 2000;

/** A monotonic clock for the delay of answers to wrong passwords, in milliseconds. */
export interface Stopwatch {
  now(): number;
  sleep(ms: number): Promise<unknown>;
}

interface Ports {
  readonly db: Db;
  readonly now: () => Date;
  readonly log: Logger;
  /** Cost of new hashes; the current default unless given. */
  readonly cost?: ScryptParameters | undefined;
  readonly stopwatch?: Stopwatch | undefined;
}
/** One sign-in with a password. */
export interface PasswordAttempt {
  /** The credential's cache key: the same for the same `Authorization` header. */
  readonly key: string;
  /** Possible readings of the login and the password, tried in this order; the first that is right counts. */
  readonly readings: readonly [Credential, ...Credential[]];
  readonly remoteAddress: string;
  /** The earlier result for the same credential in this process. */
  readonly before: VerifiedCredential | undefined;
}

/**
 * Creates the check of passwords. Failed attempts are throttled, and few hashes are computed at a time. A
 * wrong login or password is answered after a multiple of half a second; a throttled attempt at once. For a
 * disabled user, every password is wrong. After a successful sign-in, a hash that is imported or weaker than
 * a new one is replaced in the database.
 * @returns an object whose `verify` resolves to the verified credential. It rejects with BadCredential:
 *   reason `wrong_password`, `repeated_password` (wrong before as well, so not hashed again) or `throttled`
 *   (with `retryAfterSeconds`), with Unavailable when too many sign-ins wait, or with an error of the
 *   database
 */
export function createPasswordSignIn({ db, now, log, cost, stopwatch = realTime }: Ports) {
  const findByLogin = prepareFindByLogin(db);
  const queue = createFairQueue();
  const throttle = createThrottle();
  const findCostliestHash = createCostliestHash(db, now, cost);
  /**
   * By credential: for each of its readings, the password hash that it did not match; null: there was none.
   */
  const wrong = new Map<string, readonly (string | null)[]>();

  /**
   * A password that matched before is not a guess: while the user's hash is unchanged, it is neither hashed
   * nor throttled.
   */
  function isStillGood(
    account: Account | undefined,
    before: VerifiedCredential | undefined,
  ): account is Account {
    return (
      account?.disabledAt === null &&
      before?.proof !== undefined &&
      account.passwordHash === before.proof &&
      now().getTime() - before.provenAt! < maxProofAgeMs
    );
  }

  /** Whether the same credential was wrong before and its users' password hashes are unchanged. */
  function isStillWrong(accounts: readonly (Account | undefined)[], key: string): boolean {
    return wrong.get(key)?.every((hash, i) => hash === usableHash(accounts[i])) === true;
  }

  function remember(key: string, accounts: readonly (Account | undefined)[]): void {
    wrong.delete(key);
    wrong.set(key, accounts.map(usableHash));
    if (wrong.size > maxWrong) wrong.delete(wrong.keys().next().value!);
  }

  function tooMany(remoteAddress: string, wait: number): BadCredential {
    log.warn({ address: addressKey(remoteAddress) }, 'sign-in throttled');
    return new BadCredential('Too many failed sign-ins', 'throttled', { retryAfterSeconds: wait });
  }

  /** Counts as failed until it succeeds, so that concurrent guesses are limited as well. */
  async function throttled<T>(
    { readings, remoteAddress }: PasswordAttempt,
    accounts: readonly (Account | undefined)[],
    signIn: () => Promise<T>,
  ): Promise<T> {
    // Keyed by user, because the database accepts many spellings of a login. An unknown login cannot be
    // guessed, so its spellings need no folding.
    const names = readings.map(({ login }, i) =>
      accounts[i] === undefined ? `login ${login.toLowerCase()}` : `user ${accounts[i].id}`,
    );
    const attempt = throttle.attempt(names, remoteAddress, now().getTime());
    if (typeof attempt === 'number') throw tooMany(remoteAddress, attempt);
    try {
      const result = await signIn();
      attempt(now().getTime());
      return result;
    } catch (error) {
      if (!(error instanceof BadCredential)) attempt(now().getTime());
      throw error;
    }
  }

  /**
   * @returns the user's current hash. A successful sign-in stays successful when its new hash cannot be
   * stored.
   */
  async function store(account: Account, replacement: string | undefined): Promise<string> {
    const old = account.passwordHash!;
    if (replacement === undefined) return old;
    try {
      const rows = await db
        .update(users)
        .set({ passwordHash: replacement })
        .where(and(eq(users.id, account.id), eq(users.passwordHash, old)))
        .returning({ id: users.id });
      if (rows.length > 0) return replacement;
    } catch (err) {
      log.warn({ err, userId: account.id }, 'rehashing a password failed');
    }
    return old;
  }

  /** @throws BadCredential, Unavailable, or an error of the database */
  async function verify(attempt: PasswordAttempt): Promise<VerifiedCredential> {
    const { key, readings, remoteAddress, before } = attempt;
    const find = () => Promise.all(readings.map(({ login }) => findByLogin(login)));
    if (before?.proof !== undefined || wrong.has(key)) {
      const known = await find();
      const good = known.find((account) => isStillGood(account, before));
      if (good !== undefined) return { ...before!, viewer: viewerOf(good) };
      if (isStillWrong(known, key)) throw wrongCredential(known, 'repeated_password');
    }
    const wait = throttle.wait(remoteAddress, now().getTime());
    if (wait > 0) throw tooMany(remoteAddress, wait);
    const [accounts, costliest] = await Promise.all([find(), findCostliestHash()]);
    return throttled(attempt, accounts, async () => {
      for (const [i, { login, password }] of readings.entries()) {
        const account = accounts[i];
        const check = (hash: string | null) =>
          queue.run(addressKey(remoteAddress), () => checkPassword(hash, password, { costliest, cost }));
        const verdict = await check(usableHash(account));
        if (account === undefined || !verdict.valid) continue;
        let proof = await store(account, verdict.replacement);
        // While it waited, the user may have been disabled, or have got another password or role.
        // Another hash waits for its turn as well, so that the user is looked up again after that one, too.
        for (;;) {
          const current = await findByLogin(login);
          const hash = current?.id === account.id ? usableHash(current) : null;
          if (hash === null) throw wrongCredential(accounts);
          if (hash === proof) return { viewer: viewerOf(current!), proof, provenAt: now().getTime() };
          if (!(await check(hash)).valid) throw wrongCredential(accounts);
          proof = hash;
        }
      }
      remember(key, accounts);
      throw wrongCredential(accounts);
    });
  }

  return {
    async verify(attempt: PasswordAttempt): Promise<VerifiedCredential> {
      const startedAt = stopwatch.now();
      try {
        return await verify(attempt);
      } catch (error) {
        if (error instanceof BadCredential && error.retryAfterSeconds === undefined)
          await slow(stopwatch, startedAt);
        throw error;
      }
    },
  };
}

const wrongCredential = (
  accounts: readonly (Account | undefined)[],
  reason: 'wrong_password' | 'repeated_password' = 'wrong_password',
) =>
  new BadCredential('The login or the password is wrong', reason, {
    userId: accounts.find(Boolean)?.id,
  });
/** A disabled user has no hash: every password is wrong. */
const usableHash = (account: Account | undefined) =>
  account?.disabledAt === null ? account.passwordHash : null;

const realTime: Stopwatch = { now: () => performance.now(), sleep: (ms) => sleep(ms) };

async function slow({ now, sleep }: Stopwatch, startedAt: number): Promise<void> {
  const spent = now() - startedAt;
  await sleep(Math.ceil(spent / answerEveryMs) * answerEveryMs - spent);
}
