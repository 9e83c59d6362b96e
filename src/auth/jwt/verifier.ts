import { errors, type JWTHeaderParameters, type JWTPayload, jwtVerify } from 'jose';
import type { Config } from '../../config.ts';
import { BadCredential, Unavailable } from '../../platform/errors.ts';
import type { Logger } from '../../platform/log.ts';
import { scopes as allScopes, type Scope } from '../../platform/request-context.ts';
import { createKeySet } from './key-set.ts';

/** The claims of a verified JWT. */
export interface Claims {
  /** Not empty, and without control characters. */
  readonly subject: string;
  /** The claim `email`; undefined if it is empty or no text, and unless `email_verified` is true. */
  readonly verifiedEmail: string | undefined;
  /**
   * Those of this gateway's scopes that the token grants. `undefined`: the token has no scope claim, so it
   * has all scopes of its user. Empty: it has such a claim, which names none of ours.
   */
  readonly scopes: ReadonlySet<Scope> | undefined;
  /** The `exp` claim plus the 5 s by which the issuer's clock may differ from ours. */
  readonly expiresAt: Date;
}

/** Asymmetric signatures only: with a shared secret, every verifier could issue tokens. */
const algorithms = ['RS256', 'ES256', 'EdDSA'];
/** Tolerated difference between the issuer's clock and ours, seconds. */
const clockTolerance = 5;

/**
 * Creates the verifier of JWTs. It accepts access tokens only, not ID tokens, of the configured issuer and
 * audience, with an expiry and a signature by RS256, ES256 or EdDSA. It begins to fetch the keys at once; if
 * that fails, a warning is logged and the keys are fetched again when the next token is verified.
 * @returns a function that rejects with BadCredential (reason `jwt`) for a token that is not accepted, or
 *   with Unavailable when the keys cannot be fetched. It does not look up the user
 */
export function createJwtVerifier(
  settings: NonNullable<Config['jwt']>,
  { now, log }: { readonly now: () => Date; readonly log: Logger },
): (token: string) => Promise<Claims> {
  const keys = createKeySet(settings.jwksUrl);
  // A wrong URL is noticed at the start, not by the first caller. The issuer may start after this process.
  keys.fetch().catch((err: unknown) => log.warn({ err }, 'JWT_JWKS_URL: the keys cannot be fetched'));
  return async (token) => {
    try {
      const { payload, protectedHeader } = await jwtVerify(token, keys.find, {
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

/**
 * Whether a text looks like a signed JWT: three parts of base64url between dots, none of them empty. An
 * unsigned token (`a.b.`) does not. Nothing is decoded or verified.
 */
export const isCompactJws = (token: string): boolean => /^[\w-]+\.[\w-]+\.[\w-]+$/.test(token);

/**
 * Claims that only ID tokens have (OpenID Connect Core 1.0). An ID token tells a client who signed in, and
 * grants no access.
 */
const ofIdTokens = ['nonce', 'at_hash', 'c_hash', 's_hash'];

/**
 * Whether a token is an access token. Issuers sign ID tokens, logout tokens and refresh tokens with the same
 * keys, and none of these grants access. RFC 9068 marks an access token with `at+jwt` in its header. Most
 * issuers write `JWT` or nothing: then no claim may mark it as another kind, by the conventions of OpenID
 * Connect, Keycloak (`typ`) and Cognito (`token_use`).
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
  if (!isOne) throw new BadCredential('The JWT is not an access token', 'jwt');
}

/** A claim that is not a string equals none of the allowed words. */
const folded = (value: unknown): string => (typeof value === 'string' ? value.toLowerCase() : '');

function claimsOf(payload: JWTPayload): Claims {
  const { sub, email, email_verified: verified, scope, scp } = payload;
  if (!isName(sub)) throw new BadCredential('The subject of the JWT is not a string', 'jwt');
  return {
    subject: sub,
    verifiedEmail: verified === true && isName(email) ? email : undefined,
    scopes: scopesOf(scope, scp),
    expiresAt: new Date((payload.exp! + clockTolerance) * 1000),
  };
}

/**
 * Whether the database can search for a claim: it rejects U+0000, and the driver would replace a lone
 * surrogate.
 */
const isName = (claim: unknown): claim is string =>
  typeof claim === 'string' && claim !== '' && !/\p{Cc}/u.test(claim) && claim.isWellFormed();

/**
 * The scopes of a token. RFC 8693 writes them as a list separated by spaces in `scope`; some issuers (Okta,
 * Entra ID) use `scp` instead, or a list of strings. Other scopes (`openid`) are ignored; a claim of another
 * shape grants nothing, and with both claims, both must grant a scope.
 */
function scopesOf(...claims: readonly unknown[]): ReadonlySet<Scope> | undefined {
  const given = claims.filter((claim) => claim !== undefined).map(namesIn);
  if (given.length === 0) return undefined;
  return new Set(allScopes.filter((name) => given.every((names) => names.includes(name))));
}

function namesIn(claim: unknown): readonly unknown[] {
  if (typeof claim === 'string') return claim.split(' ');
  return Array.isArray(claim) ? claim : [];
}

/** Error codes of jose that mean that the keys are unavailable, not that the token is invalid. */
const keysFailed = new Set(['ERR_JOSE_GENERIC', 'ERR_JWKS_TIMEOUT', 'ERR_JWKS_INVALID']);

function refusalOf(error: unknown): Error {
  if (error instanceof BadCredential) return error;
  if (error instanceof errors.JOSEError && !keysFailed.has(error.code)) {
    const reason = error instanceof errors.JWTExpired ? 'has expired' : 'is not valid';
    // The caller is not told which claim failed, because that would help somebody who forges tokens.
    const why = 'claim' in error ? `${error.code} ${String(error.claim)}` : error.code;
    return new BadCredential(`The JWT ${reason}`, 'jwt', { why });
  }
  const options = { cause: error, nothingWritten: true };
  return new Unavailable('The keys for verifying JWTs cannot be fetched', 5, options);
}
