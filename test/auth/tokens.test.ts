import { crc32 } from 'node:zlib';
import { eq } from 'drizzle-orm';
import { expect, test } from 'vitest';
import { createToken, listTokens, revokeToken } from '../../src/auth/tokens.ts';
import { apiTokens, users } from '../../src/db/tables.ts';
import { BadCredential } from '../../src/platform/errors.ts';
import { shareDatabase } from '../support/database.ts';
import { createWorld } from './people.ts';

const database = shareDatabase();

test('a token is its user, with the scopes that both have', async () => {
  await using world = await createWorld({ database: database() });
  const operator = await world.add({ login: 'jane' });
  const requester = await world.add({ login: 'joe', role: 'REQUESTER' });
  const reader = await createToken(world.desk, { userId: operator, name: 'reader', scopes: ['read'] });
  const mailer = await createToken(world.desk, {
    userId: requester,
    name: 'm',
    scopes: ['read', 'mail', 'admin'],
  });
  expect(reader.token).toMatch(/^tw_[0-9a-f]{48}$/);
  expect(await world.authenticate(`Bearer ${reader.token}`)).toMatchObject({
    userId: operator,
    scopes: new Set(['read']),
  });
  expect(await world.authenticate(`bearer ${mailer.token}`)).toMatchObject({
    userId: requester,
    scopes: new Set(['read']),
  });
});

test('neither the token nor anything that leads to it is stored or logged', async () => {
  await using world = await createWorld({ database: database() });
  const userId = await world.add({ login: 'jane' });
  const { token } = await createToken(world.desk, { userId, name: 't', scopes: ['read'] });
  await world.authenticate(`Bearer ${token}`);
  const [row] = await world.desk.select().from(apiTokens);
  const stored =
    JSON.stringify({ ...row, tokenHash: row!.tokenHash.toString('latin1') }) + row!.tokenHash.toString('hex');
  expect(stored).not.toContain(token.slice(3, 20));
  expect(world.logged.join()).not.toContain(token.slice(3, 20));
});

test('a revoked token stops working within 20 s, in every process', async () => {
  await using world = await createWorld({ database: database() });
  await using other = world.open();
  const userId = await world.add({ login: 'jane' });
  const { id, token } = await createToken(world.desk, { userId, name: 't', scopes: ['read'] });
  const header = `Bearer ${token}`;
  await world.authenticate(header);
  await other.authenticate(header, '::1');
  expect(await revokeToken(world.desk, id)).toBe(true);
  expect(await revokeToken(world.desk, id)).toBe(false);
  world.pass(20);
  await expect(world.authenticate(header)).rejects.toThrow('revoked');
  await expect(other.authenticate(header, '::1')).rejects.toThrow('revoked');
});

test('a revocation is noticed in the background too', async () => {
  await using world = await createWorld({ database: database() });
  const userId = await world.add({ login: 'jane' });
  const { id, token } = await createToken(world.desk, { userId, name: 't', scopes: ['read'] });
  await world.authenticate(`Bearer ${token}`);
  await revokeToken(world.desk, id);
  world.pass(10);
  await world.authenticate(`Bearer ${token}`);
  await expect
    .poll(() => world.authenticate(`Bearer ${token}`).catch((e: Error) => e.message))
    .toMatch('revoked');
});

test('a token ends at its instant, remembered or not', async () => {
  await using world = await createWorld({ database: database() });
  const userId = await world.add({ login: 'jane' });
  const expiresAt = new Date(world.now().getTime() + 5000);
  const { token } = await createToken(world.desk, { userId, name: 't', scopes: ['read'], expiresAt });
  world.pass(4.9);
  expect(await world.authenticate(`Bearer ${token}`)).toMatchObject({ login: 'jane' });
  world.pass(0.1);
  await expect(world.authenticate(`Bearer ${token}`)).rejects.toThrow('expired');
});

test('a token of a disabled user stops working', async () => {
  await using world = await createWorld({ database: database() });
  const userId = await world.add({ login: 'jane' });
  const { token } = await createToken(world.desk, { userId, name: 't', scopes: ['read'] });
  await world.authenticate(`Bearer ${token}`);
  await world.desk.update(users).set({ disabledAt: new Date() }).where(eq(users.id, userId));
  world.pass(20);
  await expect(world.authenticate(`Bearer ${token}`)).rejects.toBeInstanceOf(BadCredential);
});

test('a token with a letter changed is refused, with and without its checksum', async () => {
  await using world = await createWorld({ database: database() });
  const userId = await world.add({ login: 'jane' });
  const { token } = await createToken(world.desk, { userId, name: 't', scopes: ['read'] });
  const secret = (token[3] === '0' ? '1' : '0') + token.slice(4, 43);
  const forged = `tw_${secret}${crc32(secret).toString(16).padStart(8, '0')}`;
  for (const wrong of [forged, `tw_${secret}${token.slice(43)}`, token.toUpperCase(), `${token}0`]) {
    await expect(world.authenticate(`Bearer ${wrong}`)).rejects.toBeInstanceOf(BadCredential);
  }
});

test('an address that sends many false tokens is throttled, but its valid ones are looked up', async () => {
  await using world = await createWorld({ database: database() });
  const userId = await world.add({ login: 'jane' });
  const make = () => createToken(world.desk, { userId, name: 't', scopes: ['read'] });
  const fail = async (times: number, token: (i: number) => string) => {
    let last: BadCredential | undefined;
    for (let i = 0; i < times; i++) last = await world.authenticate(`Bearer ${token(i)}`).catch((e) => e);
    return last!.retryAfterSeconds;
  };
  expect(await fail(200, (i) => `tw_${i}`)).toBeUndefined();
  expect(await fail(1, (i) => `tw_${i}`)).toBe(1);
  expect(await world.authenticate(`Bearer ${(await make()).token}`)).toMatchObject({ login: 'jane' });
  // A text in the form of a token is always looked up, and does not use up the allowance of others.
  const forged = (i: number) => {
    const secret = i.toString(16).padStart(40, '0');
    return `tw_${secret}${crc32(secret).toString(16).padStart(8, '0')}`;
  };
  expect(await fail(250, forged)).toBeUndefined();
  const burst = Promise.allSettled(
    Array.from({ length: 200 }, (_, i) => world.authenticate(`Bearer ${forged(1000 + i)}`)),
  );
  expect(await world.authenticate(`Bearer ${(await make()).token}`, '192.0.2.9')).toMatchObject({
    login: 'jane',
  });
  await burst;
  expect(await world.authenticate(`Bearer ${(await make()).token}`)).toMatchObject({ login: 'jane' });
});

test('tokens are listed by user, without the secret', async () => {
  await using world = await createWorld({ database: database() });
  const jane = await world.add({ login: 'jane' });
  const joe = await world.add({ login: 'joe' });
  await createToken(world.desk, { userId: jane, name: 'a', scopes: ['read', 'read', 'write'] });
  await createToken(world.desk, { userId: joe, name: 'b', scopes: ['read'] });
  expect(await listTokens(world.desk)).toHaveLength(2);
  const [only, ...rest] = await listTokens(world.desk, jane);
  expect(rest).toHaveLength(0);
  expect(only).toMatchObject({ login: 'jane', name: 'a', scopes: ['read', 'write'], revokedAt: null });
  expect(Object.keys(only!)).not.toContain('tokenHash');
});
