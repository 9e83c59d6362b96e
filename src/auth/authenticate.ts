import type { Config } from '../config.ts';
import type { Db } from '../db/database.ts';
import { asUnavailable } from '../platform/database-faults.ts';
import { BadCredential, type SignInReason } from '../platform/errors.ts';
import type { Logger } from '../platform/log.ts';
import type { Authenticate, Viewer } from '../platform/request-context.ts';
import { asciiFold } from './ascii-fold.ts';
import { createAuthorizationReader } from './authorization-header.ts';
import { createCredentialCache, type VerifiedCredential } from './credential-cache.ts';
import { type Account, findEnabledByEmail, prepareFindByLogin, viewerOf } from './find-account.ts';
import { type Claims, createJwtVerifier, isCompactJws } from './jwt/verifier.ts';
import { createPasswordSignIn, type Stopwatch } from './password-sign-in.ts';
import type { ScryptParameters } from './scrypt.ts';
import { addressKey, createTokenThrottle } from './throttle.ts';
import { isWellFormedToken, prepareFindToken } from './tokens.ts';

/** Finds out who sends a request. */
export interface Authenticator extends AsyncDisposable {
  /**
   * Prepares the authentication of one request's `Authorization` header.
   * @param authorization the header; undefined or empty: no credential was offered
   * @param remoteAddress the caller's IP address, whose failed attempts are limited
   * @param direct whether the request comes from a program on this machine and not through a proxy: only then
   *   are public passwords (the demo desk's) accepted. By default they are not
   * @returns a function that may be called again and again, for a response that outlives its request. Its
   *   result is the viewer, without a promise while the credential is cached, or undefined when no credential
   *   was offered. It throws or rejects with BadCredential, Unavailable, or an error of the database
   */
  signInBy(authorization: string | undefined, remoteAddress: string, direct?: () => boolean): Authenticate;
  /** Authenticates an `Authorization` header once: like `signInBy`, but errors always reject. */
  authenticate(
    authorization: string | undefined,
    remoteAddress: string,
    direct?: () => boolean,
  ): Promise<Viewer | undefined>;
}

/** What `createAuthenticator` needs. */
export interface AuthenticatorPorts {
  readonly db: Db;
  /** Whose JWTs are accepted; absent: none. */
  readonly jwt?: Config['jwt'];
  /** The code page of Basic credentials that are not UTF-8; `windows-1252` by default. */
  readonly legacyCharset?: Config['legacyCharset'];
  /** Hashes of public passwords, which are accepted from direct requests only. */
  readonly knownPasswords?: ReadonlySet<string>;
  /** Cost of new hashes; the current default unless given. */
  readonly passwordCost?: ScryptParameters | undefined;
  /** Times the delay of answers to wrong passwords; the real time unless given. */
  readonly stopwatch?: Stopwatch | undefined;
  /** The time for expiry and throttling; this machine's clock unless given. */
  readonly now?: () => Date;
  readonly log: Logger;
  /** Called for each rejected sign-in, after it was logged without the credential. */
  readonly refused?: (reason: SignInReason) => void;
}

/**
 * Creates an authenticator of passwords (Basic), API tokens and JWTs (Bearer). It caches valid credentials,
 * so that most calls cost one keyed hash and a lookup, without a query or password hashing. Therefore a
 * disabled user or a revoked token is still accepted for up to 30 s. With `jwt`, it fetches the keys at once.
 * Disposing of it waits for the checks under way.
 */
export function createAuthenticator({
  db,
  jwt,
  legacyCharset = 'windows-1252',
  knownPasswords = new Set(),
  passwordCost,
  stopwatch,
  now = () => new Date(),
  log,
  refused = () => {},
}: AuthenticatorPorts): Authenticator {
  const cache = createCredentialCache();
  const verify = createVerifier({ db, jwt, legacyCharset, passwordCost, stopwatch, now, log });
  const inFlight = new Map<string, Promise<VerifiedCredential>>();

  /** Concurrent calls with the same credential share one verification. */
  function verifyOnce(
    key: string,
    authorization: string,
    remoteAddress: string,
  ): Promise<VerifiedCredential> {
    const running = inFlight.get(key);
    if (running !== undefined) return running;
    const started = (async () => {
      try {
        const verified = await verify(authorization, remoteAddress, key, cache.get(key));
        cache.put(key, verified, now().getTime());
        return verified;
      } catch (error) {
        if (error instanceof BadCredential) cache.delete(key);
        throw asUnavailable(error);
      } finally {
        inFlight.delete(key);
      }
    })();
    inFlight.set(key, started);
    return started;
  }

  /** Uses the cached result while it is fresh, and renews it before it expires. */
  function lookUp(
    key: string,
    authorization: string,
    remoteAddress: string,
  ): VerifiedCredential | Promise<VerifiedCredential> {
    const at = now().getTime();
    const entry = cache.get(key);
    if (entry === undefined || !cache.isFresh(entry, at))
      return verifyOnce(key, authorization, remoteAddress);
    if (at >= entry.refreshAt) {
      entry.refreshAt = Number.POSITIVE_INFINITY;
      verifyOnce(key, authorization, remoteAddress).catch((err: unknown) => {
        if (!(err instanceof BadCredential)) log.warn({ err }, 'renewing a credential failed');
      });
    }
    return entry;
  }

  /** The log line never contains the credential, and only the network part of an IPv6 address. */
  function note(error: unknown, remoteAddress: string): unknown {
    if (!(error instanceof BadCredential)) return error;
    const { reason, why, userId } = error;
    log.info({ reason, why, userId, address: addressKey(remoteAddress) }, 'sign-in refused');
    refused(reason);
    return error;
  }

  function signInBy(
    authorization: string | undefined,
    remoteAddress: string,
    direct: () => boolean = () => false,
  ): Authenticate {
    if (authorization === undefined || authorization === '') return () => undefined;
    const key = cache.keyOf(authorization);
    const viewerOf = ({ viewer, proof }: VerifiedCredential): Viewer => {
      if (proof === undefined || !knownPasswords.has(proof) || direct()) return viewer;
      const message = 'The demo accounts work only for direct requests to localhost';
      throw note(new BadCredential(message, 'demo_account', { userId: viewer.userId }), remoteAddress);
    };
    const refuse = (error: unknown): never => {
      throw note(error, remoteAddress);
    };
    return () => {
      const known = lookUp(key, authorization, remoteAddress);
      return known instanceof Promise ? known.catch(refuse).then(viewerOf) : viewerOf(known);
    };
  }

  return {
    signInBy,
    authenticate: async (...credential) => signInBy(...credential)(),
    async [Symbol.asyncDispose]() {
      await Promise.allSettled(inFlight.values());
    },
  };
}

type VerifierPorts = Required<Omit<AuthenticatorPorts, 'knownPasswords' | 'refused'>>;
type Verify = (
  authorization: string,
  remoteAddress: string,
  key: string,
  before: VerifiedCredential | undefined,
) => Promise<VerifiedCredential>;

function createVerifier(ports: VerifierPorts): Verify {
  const { db, jwt, legacyCharset, passwordCost: cost, stopwatch, now, log } = ports;
  const readAuthorization = createAuthorizationReader(legacyCharset);
  const passwords = createPasswordSignIn({ db, now, log, cost, stopwatch });
  const findToken = prepareFindToken(db);
  const tokenThrottle = createTokenThrottle();
  const findByLogin = prepareFindByLogin(db);
  const findByEmail = (address: string) => findEnabledByEmail(db, address);
  const verifyJwt = jwt === undefined ? undefined : createJwtVerifier(jwt, { now, log });

  async function byToken(token: string): Promise<VerifiedCredential> {
    const found = isWellFormedToken(token) ? await findToken(token) : undefined;
    if (found === undefined) throw new BadCredential('The token is unknown', 'unknown_token');
    const { account, scopes, expiresAt, revokedAt } = found;
    if (revokedAt !== null) throw new BadCredential('The token has been revoked', 'revoked');
    if (expiresAt !== null && expiresAt <= now()) throw new BadCredential('The token has expired', 'expired');
    if (account.disabledAt !== null) throw new BadCredential('The user is disabled', 'disabled');
    return {
      viewer: viewerOf(account, scopes),
      ...(expiresAt === null ? {} : { expiresAt: expiresAt.getTime() }),
    };
  }

  /** The user that the claims identify. A login takes precedence over an e-mail address, even if disabled. */
  async function bySubject({ subject, verifiedEmail }: Claims): Promise<Account | undefined> {
    const named = await findByLogin(subject);
    // The database folds letters that only look alike (the Kelvin sign becomes k), but an issuer's subjects
    // that differ in them are different users.
    if (named !== undefined && asciiFold(named.login) === asciiFold(subject))
      return named.disabledAt === null ? named : undefined;
    if (verifiedEmail === undefined) return undefined;
    const addressed = await findByEmail(verifiedEmail);
    return addressed.length === 1 ? addressed[0] : undefined;
  }

  async function byJwt(token: string): Promise<VerifiedCredential> {
    if (verifyJwt === undefined) throw new BadCredential('The token is unknown', 'unknown_token');
    const claims = await verifyJwt(token);
    const account = await bySubject(claims);
    if (account === undefined)
      throw new BadCredential('The JWT does not identify a user of this desk', 'jwt');
    // Fetching the keys takes up to 5 s.
    if (claims.expiresAt <= now()) throw new BadCredential('The JWT has expired', 'jwt');
    return { viewer: viewerOf(account, claims.scopes), expiresAt: claims.expiresAt.getTime() };
  }

  return async (authorization, remoteAddress, key, before) => {
    const offered = readAuthorization(authorization);
    if (offered.kind === 'password') return passwords.verify({ ...offered, remoteAddress, key, before });
    const { kind, token } = offered;
    const verified = () => (kind === 'token' ? byToken(token) : byJwt(token));
    if (before !== undefined) return verified();
    const plausible =
      kind === 'token' ? isWellFormedToken(token) : verifyJwt !== undefined && isCompactJws(token);
    return tokenThrottle.limit(remoteAddress, now, { plausible, verify: verified });
  };
}
