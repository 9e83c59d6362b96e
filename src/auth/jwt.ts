import { createRemoteJWKSet, errors, type JWTHeaderParameters, type JWTPayload, jwtVerify } from 'jose';
import type { Config } from '../config.ts';
import { BadCredential, Unavailable } from '../platform/errors.ts';
import { scopes as allScopes, type Scope } from '../platform/request-context.ts';

/** What a verified JWT says of its bearer. */
export interface Claims {
  readonly subject: string;
  /** Only when the issuer says that it has verified it. */
  readonly verifiedEmail: string | undefined;
  /** `undefined`: the token names no scopes, so all of the user's. */
  readonly scopes: ReadonlySet<Scope> | undefined;
  readonly expiresAt: Date;
}

/** Signatures only: with a shared secret, whoever can check a token could make one. */
const algorithms = ['RS256', 'ES256', 'EdDSA'];
/** Seconds that the issuer's clock and ours may differ by. */
const clockTolerance = 5;

/**
 * Keys are fetched from the JWKS when first needed, kept ten minutes, and fetched again for an unknown key id
 * at most twice a minute.
 * @returns a function that throws BadCredential, or Unavailable when the keys cannot be had.
 */
export function createJwtVerifier(
  settings: NonNullable<Config['jwt']>,
  now: () => Date,
): (token: string) => Promise<Claims> {
  const keys = createRemoteJWKSet(new URL(settings.jwksUrl), {
    timeoutDuration: 5000,
    cooldownDuration: 30_000,
  });
  return async (token) => {
    try {
      const { payload, protectedHeader } = await jwtVerify(token, keys, {
        issuer: settings.issuer,
        audience: settings.audience,
        algorithms,
        clockTolerance,
        currentDate: now(),
        requiredClaims: ['sub', 'exp'],
      });
      assertAccessToken(protectedHeader, payload);
      return claimsOf(payload);
    } catch (error) {
      throw refusalOf(error);
    }
  };
}

/** The form of a signed JWT: three parts of which the first two are there. */
export const isCompactJws = (token: string): boolean => /^[\w-]+\.[\w-]+\.[\w-]+$/.test(token);

/**
 * In ID tokens alone (OpenID Connect Core 1.0): who signed in, told to the program that they signed in at.
 */
const ofIdTokens = ['nonce', 'at_hash', 'c_hash', 's_hash'];

/**
 * An issuer signs ID tokens, logout tokens and refresh tokens with the same keys, and none of them lets
 * anybody do anything. RFC 9068 calls an access token `at+jwt` in its header. Most issuers say `JWT` or
 * nothing: then the token must not say in another way that it is no access token, as OpenID Connect, Keycloak
 * (`typ`) and Cognito (`token_use`) do.
 */
function assertAccessToken({ typ }: Partial<JWTHeaderParameters>, payload: JWTPayload): void {
  const type = typ === undefined ? undefined : folded(typ).replace(/^application\//, '');
  if (type === 'at+jwt') return;
  const says = (claim: string, ...values: string[]) =>
    payload[claim] === undefined || values.includes(folded(payload[claim]));
  const isOne =
    (type === undefined || type === 'jwt') &&
    says('typ', 'bearer', 'dpop', 'jwt', 'at+jwt') &&
    says('token_use', 'access') &&
    payload.events === undefined &&
    !ofIdTokens.some((claim) => claim in payload);
  if (!isOne) throw new BadCredential('The JWT is no access token', 'jwt');
}

/** What is no text equals none of the words that are allowed. */
const folded = (value: unknown): string => (typeof value === 'string' ? value.toLowerCase() : '');

function claimsOf(payload: JWTPayload): Claims {
  const { sub, email, email_verified: verified, scope } = payload;
  if (!isName(sub)) throw new BadCredential('The subject of the JWT is no text', 'jwt');
  return {
    subject: sub,
    verifiedEmail: verified === true && isName(email) ? email : undefined,
    scopes: scope === undefined ? undefined : scopesIn(scope),
    expiresAt: new Date((payload.exp! + clockTolerance) * 1000),
  };
}

/**
 * Text that the database can look for: it knows no U+0000, and would replace half a surrogate pair by another
 * character.
 */
const isName = (claim: unknown): claim is string =>
  typeof claim === 'string' && claim !== '' && !/\p{Cc}/u.test(claim) && claim.isWellFormed();

/**
 * RFC 8693: a list divided by spaces. What else the issuer names (`openid`) is not ours; a claim of another
 * shape grants nothing.
 */
function scopesIn(scope: unknown): ReadonlySet<Scope> {
  const named = new Set(typeof scope === 'string' ? scope.split(' ') : []);
  return new Set(allScopes.filter((name) => named.has(name)));
}

/** Codes with which jose says that the keys, and not the token, are what is missing. */
const keysFailed = new Set(['ERR_JOSE_GENERIC', 'ERR_JWKS_TIMEOUT', 'ERR_JWKS_INVALID']);

function refusalOf(error: unknown): Error {
  if (error instanceof BadCredential) return error;
  if (error instanceof errors.JOSEError && !keysFailed.has(error.code)) {
    const reason = error instanceof errors.JWTExpired ? 'has expired' : 'is not valid';
    return new BadCredential(`The JWT ${reason}`, 'jwt');
  }
  return new Unavailable('The keys that JWTs are checked with cannot be fetched', 5, { cause: error });
}
