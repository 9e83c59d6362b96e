import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, exportJWK, generateKeyPair, SignJWT } from 'jose';
import type postgres from 'postgres';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { BadCredential, Unavailable } from '../../src/platform/errors.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { createWorld } from './people.ts';

const issuer = 'https://issuer.example';
const audience = 'ticketwire';

/** One key pair for each algorithm, for all issuers: an RSA key takes longer to find than most tests take. */
const keys = new Map<string, CryptoKey>();
const jwks: { kid: string; alg: string; use: string }[] = [];
for (const alg of ['RS256', 'ES256', 'EdDSA']) {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  keys.set(alg, privateKey);
  jwks.push({ ...(await exportJWK(publicKey)), kid: alg, alg, use: 'sig' });
}

let database: TestDatabase;
let owner: postgres.Sql;
beforeAll(async () => {
  database = await createTestDatabase();
  owner = database.asOwner();
});
afterEach(() => owner`delete from users`);
afterAll(() => database[Symbol.asyncDispose]());

interface State {
  status: number;
  fetches: number;
  /** Bytes of answers that have ended. */
  written: number;
  jwks: readonly { kid: string }[];
  /** Instead of the keys. */
  answer: ((response: ServerResponse) => void) | undefined;
}

/** An issuer of its own: a real HTTP server with a real key set. */
async function createIssuer(initially: Partial<State>) {
  const state: State = { status: 200, fetches: 0, written: 0, jwks, answer: undefined, ...initially };
  const server = createServer((request, response) => {
    state.fetches += 1;
    response.once('close', () => (state.written += request.socket.bytesWritten));
    if (state.answer !== undefined) return void state.answer(response);
    response.writeHead(state.status, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ keys: state.jwks }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const jwksUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`;
  return {
    state,
    settings: { jwksUrl, issuer, audience },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Wanted {
  alg?: string;
  kid?: string;
  sub?: string | undefined;
  iss?: string;
  aud?: string | string[];
  exp?: number | undefined;
  claims?: Record<string, unknown>;
  typ?: string;
}

async function createDesk(initially: Partial<State> = {}) {
  const authority = await createIssuer(initially);
  const world = await createWorld({ jwt: authority.settings, database });
  const seconds = () => Math.floor(world.now().getTime() / 1000);
  return {
    ...world,
    authority,
    async bearer({ alg = 'RS256', kid = alg, ...wanted }: Wanted = {}, key = keys.get(alg)!) {
      const jwt = new SignJWT({ ...wanted.claims }).setProtectedHeader({
        alg,
        kid,
        ...(wanted.typ === undefined ? {} : { typ: wanted.typ }),
      });
      jwt.setIssuer(wanted.iss ?? issuer).setAudience(wanted.aud ?? audience);
      if (wanted.claims?.sub === undefined && (!('sub' in wanted) || wanted.sub !== undefined))
        jwt.setSubject(wanted.sub ?? 'jane');
      if (!('exp' in wanted) || wanted.exp !== undefined)
        jwt.setExpirationTime(wanted.exp ?? seconds() + 3600);
      return `Bearer ${await jwt.sign(key)}`;
    },
    seconds,
    async [Symbol.asyncDispose]() {
      await world[Symbol.asyncDispose]();
      await authority[Symbol.asyncDispose]();
    },
  };
}

test.for(['RS256', 'ES256', 'EdDSA'])(
  'a JWT signed with %s is the user whose login is its subject',
  async (alg) => {
    await using desk = await createDesk();
    const userId = await desk.add({ login: 'Jane' });
    expect(await desk.authenticate(await desk.bearer({ alg }))).toMatchObject({
      userId,
      role: 'OPERATOR',
      scopes: new Set(['read', 'write', 'mail', 'admin']),
    });
  },
);

test('the role is ours and the scopes are the token’s, as far as the role has them', async () => {
  await using desk = await createDesk();
  await desk.add({ login: 'jane', role: 'REQUESTER' });
  const claims = { role: 'OPERATOR', scope: 'openid read mail admin' };
  expect(await desk.authenticate(await desk.bearer({ claims }))).toMatchObject({
    role: 'REQUESTER',
    scopes: new Set(['read']),
  });
  const none = await desk.authenticate(await desk.bearer({ claims: { scope: 'openid' } }));
  expect(none!.scopes).toEqual(new Set());
  const odd = await desk.authenticate(await desk.bearer({ claims: { scope: [['read']] } }));
  expect(odd!.scopes).toEqual(new Set());
});

test.for([
  [{ scope: 'read write' }, ['read', 'write']],
  [{ scope: ['read', 'openid'] }, ['read']],
  [{ scp: 'read mail' }, ['read', 'mail']],
  [{ scp: ['read', 'write'] }, ['read', 'write']],
  [{ scope: 'read mail', scp: ['mail', 'admin'] }, ['mail']],
  [{ scope: 'read', scp: '' }, []],
  [{ scp: null }, []],
  [{ scp: { read: true } }, []],
  [{ scope: 'READ\twrite' }, []],
] as const)('the scopes of %j are %j', async ([claims, scopes]) => {
  await using desk = await createDesk();
  await desk.add({ login: 'jane' });
  const viewer = await desk.authenticate(await desk.bearer({ claims }));
  expect(viewer!.scopes).toEqual(new Set(scopes));
});

describe('a subject that is no login', () => {
  const email = 'jane@example.com';
  const sub = 'oidc|4711';

  test('is the one enabled user with the verified address', async () => {
    await using desk = await createDesk();
    const userId = await desk.add({ login: 'jane', email: 'Jane@Example.com' });
    await desk.add({ login: 'former', email, disabledAt: new Date() });
    const header = await desk.bearer({ sub, claims: { email, email_verified: true } });
    expect(await desk.authenticate(header)).toMatchObject({ userId });
  });

  test.for([
    ['the address is not verified', { email }, [{ login: 'jane', email }]],
    ['the word for verified is a text', { email, email_verified: 'true' }, [{ login: 'jane', email }]],
    [
      'two users have it',
      { email, email_verified: true },
      [
        { login: 'jane', email },
        { login: 'joe', email },
      ],
    ],
    ['nobody has it', { email, email_verified: true }, [{ login: 'joe', email: 'joe@example.com' }]],
    [
      'the subject is a disabled user',
      { email, email_verified: true },
      [
        { login: sub, disabledAt: new Date() },
        { login: 'jane', email },
      ],
    ],
  ] as const)('is nobody when %s', async ([, claims, people]) => {
    await using desk = await createDesk();
    for (const person of people) await desk.add(person);
    await expect(desk.authenticate(await desk.bearer({ sub, claims }))).rejects.toThrow(
      'does not identify a user',
    );
  });
});

describe('a JWT is refused', () => {
  test.for([
    ['of another issuer', { iss: 'https://evil.example' }, 'ERR_JWT_CLAIM_VALIDATION_FAILED iss'],
    ['for another audience', { aud: 'other' }, 'ERR_JWT_CLAIM_VALIDATION_FAILED aud'],
    ['without expiry', { exp: undefined }, 'ERR_JWT_CLAIM_VALIDATION_FAILED exp'],
    ['without subject', { sub: undefined }, 'ERR_JWT_CLAIM_VALIDATION_FAILED sub'],
    ['not valid yet', { claims: { nbf: 4_102_444_800 } }, 'ERR_JWT_CLAIM_VALIDATION_FAILED nbf'],
    ['with an unknown key id', { kid: 'other' }, 'ERR_JWKS_NO_MATCHING_KEY'],
  ] as const)('%s: the log says why, and the caller is not told', async ([, wanted, why]) => {
    await using desk = await createDesk();
    await desk.add({ login: 'jane' });
    const error = await desk.authenticate(await desk.bearer(wanted)).catch((e) => e);
    expect(error).toBeInstanceOf(BadCredential);
    expect([error.message, error.why]).toEqual(['The JWT is not valid', why]);
  });

  test('signed by another key, with a shared secret, or not at all', async () => {
    await using desk = await createDesk();
    await desk.add({ login: 'jane' });
    const { privateKey } = await generateKeyPair('RS256');
    const secret = new TextEncoder().encode('a secret of more than thirty-two bytes');
    const [, payload] = (await desk.bearer()).split('.');
    const none = `Bearer ${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`;
    const headers = [
      await desk.bearer({}, privateKey),
      await desk.bearer({ alg: 'HS256' }, secret as never),
      none,
    ];
    for (const header of headers)
      await expect(desk.authenticate(header)).rejects.toBeInstanceOf(BadCredential);
  });

  test('when it has expired, remembered or not', async () => {
    await using desk = await createDesk();
    await desk.add({ login: 'jane' });
    const header = await desk.bearer({ exp: desk.seconds() + 6 });
    expect(await desk.authenticate(header)).toMatchObject({ login: 'jane' });
    desk.pass(12);
    await expect(desk.authenticate(header)).rejects.toThrow('expired');
  });

  test('when it expires while its keys are fetched', async () => {
    const late = (response: ServerResponse) => {
      desk.pass(12);
      response.end(JSON.stringify({ keys: jwks }));
    };
    await using desk = await createDesk({ status: 500 });
    await desk.add({ login: 'jane' });
    const header = await desk.bearer({ exp: desk.seconds() + 6 });
    await expect(desk.authenticate(header)).rejects.toBeInstanceOf(Unavailable);
    desk.authority.state.answer = late;
    await expect(desk.authenticate(header)).rejects.toThrow('expired');
    expect(await desk.authenticate(await desk.bearer())).toMatchObject({ login: 'jane' });
  });

  test('where none is configured', async () => {
    await using desk = await createDesk();
    await using plain = await createWorld();
    await plain.add({ login: 'jane' });
    await expect(plain.authenticate(await desk.bearer())).rejects.toBeInstanceOf(BadCredential);
  });
});

test('an issuer that does not answer is a passing fault', async () => {
  await using desk = await createDesk({ status: 500 });
  await desk.add({ login: 'jane' });
  const header = await desk.bearer();
  await expect(desk.authenticate(header)).rejects.toBeInstanceOf(Unavailable);
  desk.authority.state.status = 200;
  expect(await desk.authenticate(header)).toMatchObject({ login: 'jane' });
});

describe('a key set that is none', () => {
  const refusals: Record<string, (response: ServerResponse) => void> = {
    'has no end': (response) => {
      const more = () => {
        while (response.write(' '.repeat(65_536)));
        response.once('drain', more);
      };
      more();
    },
    'is elsewhere': (response) => response.writeHead(302, { location: '/keys' }).end(),
    'is a page': (response) => response.end('<html></html>'),
    'is a list': (response) => response.end('[]'),
    'is cut': (response) =>
      response.writeHead(200, { 'content-length': 99 }).write('{', () => response.destroy()),
  };
  test.for(Object.entries(refusals))(
    'because it %s is a passing fault, and is not kept',
    async ([, answer]) => {
      await using desk = await createDesk({ answer });
      await desk.add({ login: 'jane' });
      const header = await desk.bearer();
      const fault = await desk.authenticate(header).catch((error: unknown) => error);
      expect(fault).toMatchObject({ name: 'Unavailable', nothingWritten: true, retryAfterSeconds: 5 });
      await expect.poll(() => desk.authority.state.written).not.toBe(0);
      expect(desk.authority.state.written).toBeLessThan(16 * 1024 * 1024);
      desk.authority.state.answer = undefined;
      expect(await desk.authenticate(header)).toMatchObject({ login: 'jane' });
    },
  );
});

test('a key that the issuer has replaced is found by its id', async () => {
  await using desk = await createDesk({ jwks: jwks.filter(({ kid }) => kid !== 'EdDSA') });
  await desk.add({ login: 'jane' });
  expect(await desk.authenticate(await desk.bearer({ alg: 'ES256' }))).toMatchObject({ login: 'jane' });
  const replaced = await desk.bearer({ alg: 'EdDSA' });
  await expect(desk.authenticate(replaced)).rejects.toBeInstanceOf(BadCredential);
  desk.authority.state.jwks = jwks.filter(({ kid }) => kid === 'EdDSA');
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 31_000 });
  try {
    expect(await desk.authenticate(replaced)).toMatchObject({ login: 'jane' });
    const old = await desk.bearer({ alg: 'ES256', sub: 'jane', claims: { jti: 'another' } });
    await expect(desk.authenticate(old)).rejects.toBeInstanceOf(BadCredential);
  } finally {
    vi.useRealTimers();
  }
});

test('keys are as old as they are when the clock has been set back', async () => {
  const year = 365 * 86_400_000;
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + year });
  try {
    await using desk = await createDesk({ jwks: jwks.filter(({ kid }) => kid !== 'EdDSA') });
    await desk.add({ login: 'jane' });
    expect(await desk.authenticate(await desk.bearer({ alg: 'ES256' }))).toMatchObject({ login: 'jane' });
    desk.authority.state.jwks = jwks.filter(({ kid }) => kid === 'EdDSA');
    vi.setSystemTime(Date.now() - year);
    expect(await desk.authenticate(await desk.bearer({ alg: 'EdDSA' }))).toMatchObject({ login: 'jane' });
    const withdrawn = await desk.bearer({ alg: 'ES256', claims: { jti: 'another' } });
    await expect(desk.authenticate(withdrawn)).rejects.toBeInstanceOf(BadCredential);
    expect(desk.authority.state.fetches).toBe(2);
  } finally {
    vi.useRealTimers();
  }
});

test('the keys are fetched once, whatever key ids strangers name', async () => {
  await using desk = await createDesk();
  await desk.add({ login: 'jane' });
  await desk.authenticate(await desk.bearer());
  for (let i = 0; i < 20; i++) {
    await expect(desk.authenticate(await desk.bearer({ kid: `k${i}` }))).rejects.toBeInstanceOf(
      BadCredential,
    );
  }
  expect(desk.authority.state.fetches).toBeLessThanOrEqual(2);
});

describe('a token that the issuer signed for something else is refused', () => {
  test.for([
    ['an ID token with a nonce', { claims: { nonce: 'n-0S6_WzA2Mj' } }],
    ['an ID token with the hash of an access token', { claims: { at_hash: 'MTIzNDU2Nzg5MDEyMzQ1Ng' } }],
    ['an ID token with the hash of a code', { claims: { c_hash: 'LDktKdoQak3Pk0cnXxCltA' } }],
    ['an ID token of Keycloak', { claims: { typ: 'ID' } }],
    ['a refresh token of Keycloak', { claims: { typ: 'Refresh' } }],
    ['an ID token of Cognito', { claims: { token_use: 'id' } }],
    ['a token whose type is no text', { claims: { typ: { toString: 1 } } }],
    ['a logout token', { claims: { events: {} } }],
    ['a logout token by its header', { typ: 'logout+jwt' }],
    ['a DPoP proof', { typ: 'dpop+jwt' }],
  ] as const)('%s', async ([, wanted]) => {
    await using desk = await createDesk();
    await desk.add({ login: 'jane' });
    await expect(desk.authenticate(await desk.bearer(wanted))).rejects.toThrow('is not an access token');
  });

  test.for([
    ['at+jwt', {}],
    ['application/AT+JWT', {}],
    ['JWT', {}],
    [undefined, {}],
    ['JWT', { typ: 'Bearer', azp: 'web' }],
    ['JWT', { token_use: 'access' }],
  ] as const)('and an access token is not: %s %j', async ([typ, claims]) => {
    await using desk = await createDesk();
    await desk.add({ login: 'jane' });
    const header = await desk.bearer({ ...(typ === undefined ? {} : { typ }), claims });
    expect(await desk.authenticate(header)).toMatchObject({ login: 'jane' });
  });
});

describe('a claim that names a user is a text, and compared as it is', () => {
  test.for([
    ['a list', ['jane']],
    ['a number', 4711],
    ['true', true],
    ['an object', { toString: 'jane' }],
    ['empty', ''],
    ['with U+0000', 'jane\u0000'],
    ['with a control character', 'ja\nne'],
    ['with half a surrogate pair', 'jane\ud800'],
  ] as const)('a subject that is no text is refused: %s', async ([, sub]) => {
    await using desk = await createDesk();
    await desk.add({ login: 'jane' });
    const error = await desk.authenticate(await desk.bearer({ claims: { sub } })).catch((e) => e);
    expect(error).toBeInstanceOf(BadCredential);
  });

  test('the Kelvin sign and the long s are no k and no s, in a subject and in an address', async () => {
    await using desk = await createDesk();
    await desk.add({ login: 'kass', email: 'kass@example.com' });
    for (const name of ['\u212aass', 'ka\u017fs', '\u212aa\u017f\u017f']) {
      const bySubject = await desk.bearer({ sub: name });
      const claims = { email: `${name}@example.com`, email_verified: true };
      const byEmail = await desk.bearer({ sub: 'oidc|1', claims });
      for (const header of [bySubject, byEmail])
        await expect(desk.authenticate(header)).rejects.toThrow('does not identify a user');
    }
    const claims = { email: 'KASS@Example.COM', email_verified: true };
    for (const header of [await desk.bearer({ sub: 'KASS' }), await desk.bearer({ sub: 'oidc|1', claims })])
      expect(await desk.authenticate(header)).toMatchObject({ login: 'kass' });
  });

  test('an address with U+0000 is nobody’s', async () => {
    await using desk = await createDesk();
    await desk.add({ login: 'jane', email: 'jane@example.com' });
    const claims = { email: 'jane@example.com\u0000', email_verified: true };
    const header = await desk.bearer({ sub: 'oidc|1', claims });
    await expect(desk.authenticate(header)).rejects.toThrow('does not identify a user');
  });
});

test('bearers that are no JWT do not keep a good one out', async () => {
  await using desk = await createDesk();
  await desk.add({ login: 'jane' });
  let last: BadCredential | undefined;
  for (let i = 0; i < 201; i++) last = await desk.authenticate(`Bearer garbage${i}`).catch((e) => e);
  expect(last!.retryAfterSeconds).toBe(1);
  expect(await desk.authenticate(await desk.bearer())).toMatchObject({ login: 'jane' });
});
