import bcrypt from 'bcryptjs';
import { eq, sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAuthenticator } from '../../src/auth/authenticate.ts';
import { hashPassword } from '../../src/auth/passwords.ts';
import { currentParameters } from '../../src/auth/scrypt.ts';
import { openDatabase } from '../../src/db/database.ts';
import { users } from '../../src/db/tables.ts';
import { BadCredential, Unavailable } from '../../src/platform/errors.ts';
import { createLog } from '../../src/platform/log.ts';
import { shareDatabase } from '../support/database.ts';
import { lowCost } from '../support/low-cost.ts';
import { basic, createWorld, hashOf } from './people.ts';

/** A fifth of today's cost, next to which a look-up takes no time. */
const aFifth = { passwordCost: { ...currentParameters, p: 1 } };
const dearHashOf = {
  'correct horse': await hashPassword('correct horse', aFifth.passwordCost),
  operator: await hashPassword('operator', aFifth.passwordCost),
};
const good = basic('jane', 'correct horse');
const bad = basic('jane', 'wrong');
const passwordHash = hashOf['correct horse'];
const aspNet = 'ANXrDknc7fGPpigibZXXZFMX4aoqz44JveK6jQuwY3eH/UyPhvr5xTPeGYEckLxz9A==';

/** CPU of this process, in microseconds. */
async function cpuOf(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage().user;
  await work();
  return process.cpuUsage().user - before;
}

const database = shareDatabase();

test('no credential is nobody; a login in any case is its user, with all that its role may do', async () => {
  await using world = await createWorld({ database: database() });
  const userId = await world.add({ login: 'Jane', passwordHash });
  await world.add({ login: 'joe', role: 'REQUESTER', passwordHash });
  expect(await world.authenticate(undefined)).toBeUndefined();
  expect(await world.authenticate(basic('jANE', 'correct horse'))).toEqual({
    userId,
    login: 'Jane',
    name: 'Jane',
    role: 'OPERATOR',
    scopes: new Set(['read', 'write', 'mail', 'admin']),
  });
  const joe = await world.authenticate(`bASIC  ${basic('joe', 'correct horse').slice(6)}`);
  expect(joe).toMatchObject({ role: 'REQUESTER', scopes: new Set(['read', 'write']) });
});

test('logins and passwords come as UTF-8 or as Latin-1, and a password may have colons', async () => {
  await using world = await createWorld({ database: database() });
  await world.add({ login: 'José', passwordHash: aspNet });
  await world.add({ login: 'colon', passwordHash: await hashPassword('a:b:č', { logN: 10, r: 8, p: 1 }) });
  expect(await world.authenticate(basic('José', 'my password', 'utf8'))).toMatchObject({ login: 'José' });
  expect(await world.authenticate(basic('José', 'my password', 'latin1'))).toMatchObject({ login: 'José' });
  expect(await world.authenticate(basic('colon', 'a:b:č'))).toMatchObject({ login: 'colon' });
});

describe('a credential that is none is bad', () => {
  let world: Awaited<ReturnType<typeof createWorld>>;
  beforeAll(async () => {
    world = await createWorld({ database: database() });
  });
  afterAll(() => world[Symbol.asyncDispose]());

  test.for([
    'Basic',
    'Basic !!!',
    `Basic ${Buffer.from('no colon').toString('base64')}`,
    `Basic ${Buffer.from(':password').toString('base64')}`,
    `Basic ${Buffer.from('jane:').toString('base64')}`,
    `Basic ${Buffer.from('jane:a\u0000b').toString('base64')}`,
    `Basic ${Buffer.from('ja\nne:correct horse').toString('base64')}`,
    `Basic ${'A'.repeat(20_000)}`,
    'Digest username="jane"',
    'Bearer',
    'Bearer tw_',
    'Bearer something',
    ' ',
  ])('%s', async (header) => {
    await expect(world.authenticate(header)).rejects.toBeInstanceOf(BadCredential);
  });
});

test('wrong password, unknown login, disabled user and no password get the same refusal', async () => {
  await using world = await createWorld({ database: database() });
  const { stopwatch } = world;
  await world.add({ login: 'jane', passwordHash });
  await world.add({ login: 'gone', passwordHash, disabledAt: new Date() });
  await world.add({ login: 'sso' });
  const headers = [bad, basic('nobody', 'x'), basic('gone', 'correct horse'), basic('sso', 'x')];
  for (const [n, header] of headers.entries()) {
    stopwatch.workMs = [1, 120, 480, 730][n]!;
    const cameAt = stopwatch.at + stopwatch.workMs;
    const error = await world.authenticate(header).catch((e) => e);
    expect(error).toBeInstanceOf(BadCredential);
    expect(error.message).toBe('The login or the password is wrong');
    // Whatever the work took: at a whole half second after it came.
    expect(stopwatch.at - cameAt).toBe(n === 3 ? 1000 : 500);
  }
  expect(world.logged.join()).not.toContain('correct horse');
});

test('a wrong password is answered half a second after it came', async () => {
  await using world = await createWorld({ database: database() });
  await using authenticator = createAuthenticator({
    ...{ db: world.desk, log: createLog('silent'), passwordCost: lowCost },
  });
  const cameAt = Date.now();
  await expect(authenticator.authenticate(bad, '::1')).rejects.toBeInstanceOf(BadCredential);
  // Clock: a bound from below, which a busy machine keeps; a timer may be a millisecond early.
  expect(Date.now() - cameAt).toBeGreaterThan(497);
});

test('an imported hash is replaced by ours at the first sign-in; the password still works', async () => {
  await using world = await createWorld({ database: database() });
  const id = await world.add({ login: 'jane', passwordHash: aspNet });
  expect(await world.authenticate(basic('jane', 'my password'))).toMatchObject({ userId: id });
  const [row] = await world.desk.select().from(users).where(eq(users.id, id));
  expect(row!.passwordHash).toMatch(/^scrypt\$/);
  await using other = world.open();
  expect(await other.authenticate(basic('jane', 'my password'), '::1')).toMatchObject({ userId: id });
});

test('a sign-in is good although its new hash cannot be stored', async () => {
  await using world = await createWorld();
  const owner = world.asOwner();
  await owner`revoke update on users from ticketwire_app`;
  await owner.end();
  await world.add({ login: 'jane', passwordHash: aspNet });
  expect(await world.authenticate(basic('jane', 'my password'))).toMatchObject({ login: 'jane' });
  expect(world.logged.join()).toContain('rehashing a password failed');
});

describe('a credential that was good', () => {
  test('is cached for less than 20 s without a query, then looked up again without hashing', async () => {
    await using world = await createWorld({ ...aFifth, database: database() });
    const userId = await world.add({ login: 'jane', passwordHash: dearHashOf['correct horse'] });
    const hashing = await cpuOf(() => world.authenticate(good));
    await world.desk.update(users).set({ name: 'Jane Doe' }).where(eq(users.id, userId));
    world.pass(9.9);
    expect(await world.authenticate(good)).toMatchObject({ name: 'jane' });
    world.pass(10.1);
    const again = await cpuOf(async () =>
      expect(await world.authenticate(good)).toMatchObject({ name: 'Jane Doe' }),
    );
    expect(again).toBeLessThan(hashing / 2);
  });

  test('is looked up in the background while it is used, so that nobody waits for it', async () => {
    await using world = await createWorld({ database: database() });
    const userId = await world.add({ login: 'jane', passwordHash });
    await world.authenticate(good);
    await world.desk.update(users).set({ name: 'Jane Doe' }).where(eq(users.id, userId));
    world.pass(11);
    expect(await world.authenticate(good)).toMatchObject({ name: 'jane' });
    await expect.poll(() => world.authenticate(good)).toMatchObject({ name: 'Jane Doe' });
  });

  test.for([
    ['the user is disabled', { disabledAt: new Date() }],
    ['the password is changed', { passwordHash: hashOf.operator }],
    ['the password is removed', { passwordHash: null }],
    ['the login is changed', { login: 'janet' }],
  ] as const)('stops working within 20 s when %s', async ([, change]) => {
    await using world = await createWorld({ database: database() });
    const userId = await world.add({ login: 'jane', passwordHash });
    await world.authenticate(good);
    await world.desk.update(users).set(change).where(eq(users.id, userId));
    world.pass(20);
    await expect(world.authenticate(good)).rejects.toBeInstanceOf(BadCredential);
    await expect(world.authenticate(good)).rejects.toBeInstanceOf(BadCredential);
  });

  test('is not kept alive by a clock that was set back', async () => {
    await using world = await createWorld({ database: database() });
    const userId = await world.add({ login: 'jane', passwordHash });
    await world.authenticate(good);
    await world.desk.update(users).set({ disabledAt: new Date() }).where(eq(users.id, userId));
    world.pass(-3600);
    await expect(world.authenticate(good)).rejects.toBeInstanceOf(BadCredential);
  });

  test('is not refused because of what strangers tried with its login', async () => {
    await using world = await createWorld({ database: database() });
    await world.add({ login: 'jane', passwordHash });
    await world.authenticate(good);
    const guesses = Array.from({ length: 12 }, (_, i) => world.authenticate(basic('jane', `guess ${i}`)));
    const refused = await Promise.all(guesses.map((guess) => guess.catch((e: BadCredential) => e)));
    expect(refused.map((e) => (e as BadCredential).retryAfterSeconds).filter(Boolean)).toEqual([6, 6]);
    world.pass(0);
    expect(await world.authenticate(good)).toMatchObject({ login: 'jane' });
    world.pass(21);
    expect(await world.authenticate(good)).toMatchObject({ login: 'jane' });
  });
});

test('repeating one wrong password uses up neither guesses nor hashes', async () => {
  await using world = await createWorld({ database: database() });
  const id = await world.add({ login: 'jane', passwordHash: hashOf.operator });
  const refused = async (header: string) => {
    const error = await world.authenticate(header).catch((e) => e);
    expect(error).toBeInstanceOf(BadCredential);
    expect(error.retryAfterSeconds).toBeUndefined();
  };
  for (let i = 0; i < 4; i++) await refused(good);
  // Nine of ten guesses are left, of which the last is right.
  await Promise.all(Array.from({ length: 8 }, (_, i) => refused(basic('jane', `guess ${i}`))));
  await world.desk.update(users).set({ passwordHash }).where(eq(users.id, id));
  expect(await world.authenticate(good)).toMatchObject({ login: 'jane' });
});

test('a wrong password that is repeated is hashed once', async () => {
  await using world = await createWorld({ ...aFifth, database: database() });
  await world.add({ login: 'jane', passwordHash: dearHashOf.operator });
  const refused = () => expect(world.authenticate(good)).rejects.toBeInstanceOf(BadCredential);
  const hashing = await cpuOf(refused);
  const again = await cpuOf(async () => {
    for (let i = 0; i < 3; i++) await refused();
  });
  expect(again).toBeLessThan(hashing / 2);
});

test('calls that come together with one credential are verified once', async () => {
  await using world = await createWorld({ ...aFifth, database: database() });
  await world.add({ login: 'jane', passwordHash: dearHashOf['correct horse'] });
  await using other = world.open();
  const one = await cpuOf(() => other.authenticate(good, '::1'));
  const all = await cpuOf(async () => {
    const viewers = await Promise.all(Array.from({ length: 100 }, () => world.authenticate(good)));
    expect(new Set(viewers).size).toBe(1);
  });
  expect(all).toBeLessThan(3 * one);
});

test('a database that is down is a passing fault, and no bad credential', async () => {
  await using world = await createWorld({ database: database() });
  await world.add({ login: 'jane', passwordHash });
  await using down = openDatabase({ host: '127.0.0.1', port: 1, user: 'x', database: 'x' });
  await using authenticator = createAuthenticator({ db: down.desk, log: createLog('silent') });
  await expect(authenticator.authenticate(good, '::1')).rejects.toBeInstanceOf(Unavailable);
});

test('guesses count by the user that they are at, however the login is spelt', async () => {
  await using world = await createWorld({ database: database() });
  await world.add({ login: 'ivan', passwordHash });
  // To PostgreSQL each of these is the login of the same user, if its collation has it so; to JavaScript they
  // are three.
  const spellings = ['ivan', 'IVAN', '\u0130van'];
  const errors = await Promise.all(
    Array.from({ length: 36 }, (_, i) =>
      world.authenticate(basic(spellings[i % 3]!, `guess ${i}`)).catch((e: BadCredential) => e),
    ),
  );
  const [row] = await world.desk.execute<{ same: boolean }>(sql`select lower('\u0130van') = 'ivan' as same`);
  const guessed = errors.filter((e) => (e as BadCredential).retryAfterSeconds === undefined);
  expect(guessed).toHaveLength(row!.same ? 10 : 20);
});

test('guesses from elsewhere do not refuse an address that is clean', async () => {
  await using world = await createWorld({ database: database() });
  await world.add({ login: 'jane', passwordHash });
  const from = (n: number) => `198.51.100.${n}`;
  const guesses = Array.from({ length: 96 }, (_, i) =>
    world.authenticate(basic('jane', `guess ${i}`), from(i % 24)).catch((e: BadCredential) => e),
  );
  const errors = (await Promise.all(guesses)) as BadCredential[];
  expect(errors.filter((e) => e.retryAfterSeconds !== undefined).length).toBeGreaterThan(0);
  await expect(world.authenticate(bad, from(0))).rejects.toMatchObject({
    retryAfterSeconds: expect.any(Number),
  });
  expect(await world.authenticate(good, '203.0.113.5')).toMatchObject({ login: 'jane' });
});

test('many wrong passwords do not keep a user from a first sign-in from another address', async () => {
  // Next to hashes at this cost, the look-ups of the right one take no time.
  const passwordCost = { logN: 12, r: 8, p: 1 };
  await using world = await createWorld({ passwordCost, database: database() });
  await world.add({ login: 'jane', passwordHash: await hashPassword('correct horse', passwordCost) });
  let answered = 0;
  const flood = Array.from({ length: 190 }, (_, i) =>
    world.authenticate(basic(`user${i}`, 'x'), '198.51.100.1').catch((e: Error) => {
      if (!(e instanceof Unavailable)) answered += 1;
      return e;
    }),
  );
  expect(await world.authenticate(good, '203.0.113.5')).toMatchObject({ login: 'jane' });
  expect(answered).toBeLessThan(20);
  const outcomes = await Promise.all(flood);
  expect(outcomes.filter((e) => e instanceof Unavailable).length).toBeGreaterThan(0);
});

test('a password that bcrypt would cut off at 72 bytes is refused, whatever its end', async () => {
  await using world = await createWorld({ database: database() });
  const first = 'ž'.repeat(36);
  const hash = await bcrypt.hash(first, 4);
  for (const [login, password] of [
    ['whole', first],
    ['longer', `${first}x`],
  ] as const) {
    await world.add({ login, passwordHash: hash });
    const signIn = world.authenticate(basic(login, password)).then(
      () => 'good',
      (e: Error) => e.message,
    );
    expect([login, await signIn]).toEqual([
      login,
      login === 'whole' ? 'good' : 'The login or the password is wrong',
    ]);
  }
});

describe('what happened while a right password waited for its turn counts', () => {
  // The rehash of an imported password comes between the check and the answer.
  const during = async (world: Awaited<ReturnType<typeof createWorld>>, change: string) => {
    const owner = world.asOwner();
    await owner.unsafe(`
      create function meanwhile() returns trigger language plpgsql as $$ begin ${change}; return new; end $$;
      create trigger meanwhile before update on users for each row
        when (old.password_hash is distinct from new.password_hash) execute function meanwhile()`);
    await owner.end();
  };
  const credential = basic('jane', 'my password');

  test('a user who was disabled is refused, and signs in when enabled again', async () => {
    await using world = await createWorld();
    const userId = await world.add({ login: 'jane', passwordHash: aspNet });
    await during(world, 'new.disabled_at := now()');
    await expect(world.authenticate(credential)).rejects.toBeInstanceOf(BadCredential);
    await world.desk.update(users).set({ disabledAt: null }).where(eq(users.id, userId));
    expect(await world.authenticate(credential)).toMatchObject({ userId });
  });

  test('a password that was changed is wrong', async () => {
    await using world = await createWorld();
    await world.add({ login: 'jane', passwordHash: aspNet });
    await during(world, `new.password_hash := '${passwordHash}'`);
    await expect(world.authenticate(credential)).rejects.toBeInstanceOf(BadCredential);
    expect(await world.authenticate(good)).toMatchObject({ login: 'jane' });
  });

  test('the role is the new one', async () => {
    await using world = await createWorld();
    await world.add({ login: 'jane', passwordHash: aspNet });
    await during(world, "new.role := 'REQUESTER'");
    expect(await world.authenticate(credential)).toMatchObject({ role: 'REQUESTER' });
  });
});
