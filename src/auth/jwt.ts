import { createRemoteJWKSet, errors, type JWTPayload, jwtVerify } from 'jose';
import type { Config } from '../config.ts';
import { scopes as allScopes, type Scope } from '../context.ts';
import { BadCredential, Unavailable } from '../errors.ts';

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
 * Keys are fetched from the JWKS when first needed, kept ten minutes, and fetched again for an unknown key id at most
 * twice a minute.
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
      const { payload } = await jwtVerify(token, keys, {
        issuer: settings.issuer,
        audience: settings.audience,
        algorithms,
        clockTolerance,
        currentDate: now(),
        requiredClaims: ['sub', 'exp'],
      });
      return claimsOf(payload);
    } catch (error) {
      throw refusalOf(error);
    }
  };
}

function claimsOf(payload: JWTPayload): Claims {
  const { email, email_verified: verified, scope } = payload;
  return {
    subject: String(payload.sub),
    verifiedEmail: verified === true && typeof email === 'string' ? email : undefined,
    scopes: scope === undefined ? undefined : scopesIn(scope),
    expiresAt: new Date((payload.exp! + clockTolerance) * 1000),
  };
}

/** RFC 8693: a list divided by spaces. What else the issuer names (`openid`) is not ours; a claim of another shape grants nothing. */
function scopesIn(scope: unknown): ReadonlySet<Scope> {
  const named = new Set(typeof scope === 'string' ? scope.split(' ') : []);
  return new Set(allScopes.filter((name) => named.has(name)));
}

/** Codes with which jose says that the keys, and not the token, are what is missing. */
const keysFailed = new Set(['ERR_JOSE_GENERIC', 'ERR_JWKS_TIMEOUT', 'ERR_JWKS_INVALID']);

function refusalOf(error: unknown): Error {
  if (error instanceof errors.JOSEError && !keysFailed.has(error.code)) {
    const reason = error instanceof errors.JWTExpired ? 'has expired' : 'is not valid';
    return new BadCredential(`The JWT ${reason}`);
  }
  return new Unavailable('The keys that JWTs are checked with cannot be fetched', 5, { cause: error });
}
