import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { asOperator, asRequester, type Gateway, startGateway } from '../support/gateway.ts';
import { scrape, sumOf } from '../support/observed/prometheus.ts';

/* A caller over its limit is refused at each door, with the time to wait. */

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase('demo');
});
afterEach(async () => {
  vi.useRealTimers();
  // Nobody has asked before.
  await database.database.desk.execute('delete from rate_limits');
});
afterAll(() => database[Symbol.asyncDispose]());

const mutation = `mutation($input: AddTicketMessageInput!) { addTicketMessage(input: $input) {
  __typename ... on UserError { code retryable } ... on RateLimitedError { retryAfterSeconds } } }`;
interface Added {
  addTicketMessage: { __typename: string; code?: string; retryAfterSeconds?: number };
}
const say = async (gateway: Gateway, ticket: object, authorization = asOperator, more: object = {}) =>
  (await gateway.graphql<Added>(mutation, { input: { ticket, body: 'x', ...more } }, { authorization })).data
    .addTicketMessage;
const upload = (gateway: Gateway) =>
  fetch(`${gateway.url}/uploads`, {
    method: 'POST',
    headers: { authorization: asOperator, 'content-type': 'text/plain' },
    body: 'x',
  });
const seconds = (headers: Headers) => Number(headers.get('retry-after'));

test('a viewer who asks too often gets 429 on every door, with the time to wait; others do not', async () => {
  await using gateway = await startGateway({ env: { ROLES: 'web', RATE_LIMIT_VIEWER: '3' }, database });
  const ask = (authorization = asOperator) => gateway.graphql('{ viewer { login } }', {}, { authorization });
  for (let n = 0; n < 3; n += 1) expect((await ask()).status).toBe(200);
  const refused = await ask();
  expect([refused.status, refused.errors?.[0]?.extensions?.code]).toEqual([429, 'RATE_LIMITED']);
  expect(seconds(refused.headers)).toBeGreaterThan(0);
  expect(seconds(refused.headers)).toBeLessThanOrEqual(60);
  const before = await gateway.counts();
  const legacy = await gateway.legacy({ TicketId: 1, Message: 'x' });
  expect([legacy.status, seconds(legacy.headers) > 0]).toEqual([429, true]);
  expect(await legacy.json()).toEqual({ Message: expect.stringMatching(/Too many requests/) });
  const uploaded = await upload(gateway);
  expect([uploaded.status, seconds(uploaded.headers) > 0]).toEqual([429, true]);
  expect(await uploaded.json()).toMatchObject({ code: 'RATE_LIMITED', status: 429 });
  const download = await fetch(`${gateway.url}/attachments/x`, { headers: { authorization: asOperator } });
  expect([download.status, seconds(download.headers) > 0]).toEqual([429, true]);
  expect(await gateway.counts()).toEqual(before);
  expect((await ask(asRequester)).status).toBe(200);
  const metrics = await scrape(gateway.url);
  expect(sumOf(metrics, 'ticketwire_rate_limited_total', 'limit="viewer"')).toBe(4);
  expect(sumOf(metrics, 'ticketwire_http_requests_total', 'outcome="limited"')).toBe(4);
});

test('commands are limited apart from reads: a typed refusal, no row, and reads go on', async () => {
  await using gateway = await startGateway({ env: { ROLES: 'web', RATE_LIMIT_WRITES: '2' }, database });
  for (let n = 0; n < 2; n += 1)
    expect(await say(gateway, { ticketId: 47 })).toEqual({ __typename: 'AddTicketMessagePayload' });
  const before = await gateway.counts();
  expect(await say(gateway, { ticketId: 47 })).toEqual({
    ...{ __typename: 'RateLimitedError', code: 'RATE_LIMITED', retryable: true },
    retryAfterSeconds: expect.any(Number),
  });
  const legacy = await gateway.legacy({ TicketId: 47, Message: 'x' });
  expect([legacy.status, seconds(legacy.headers) > 0]).toEqual([429, true]);
  expect((await upload(gateway)).status).toBe(429);
  expect(await gateway.counts()).toEqual(before);
  const { data } = await gateway.graphql('{ viewer { login } rateLimit { name max remaining } }');
  expect(data).toEqual({
    viewer: { login: 'operator' },
    rateLimit: [
      { name: 'REQUESTS', max: 30_000, remaining: expect.any(Number) },
      { name: 'COMMANDS', max: 2, remaining: 0 },
    ],
  });
});

test('one ticket takes so many messages in a minute, however it is named, and others go on', async () => {
  await using gateway = await startGateway({ env: { ROLES: 'web', RATE_LIMIT_TICKET: '2' }, database });
  const done = { __typename: 'AddTicketMessagePayload' };
  // A repeated call adds no message.
  for (let n = 0; n < 3; n += 1)
    expect(await say(gateway, { reference: 'inc-000047' }, asOperator, { idempotencyKey: 'k' })).toEqual(
      done,
    );
  expect(await say(gateway, { ticketId: 47 })).toEqual(done);
  for (const ticket of [{ ticketId: 47 }, { reference: 'INC-000047' }])
    expect(await say(gateway, ticket)).toMatchObject({ code: 'RATE_LIMITED' });
  expect(await say(gateway, { ticketId: 3 })).toEqual(done);
  // The requester has room of their own, and learns nothing of a ticket that they may not see.
  expect(await say(gateway, { ticketId: 47 }, asRequester)).toEqual(done);
  for (let n = 0; n < 3; n += 1)
    expect(await say(gateway, { ticketId: 1 }, asRequester)).toMatchObject({ code: 'TICKET_NOT_FOUND' });
});

test('strangers of one address are counted together', async () => {
  await using gateway = await startGateway({
    env: { ROLES: 'web', RATE_LIMIT_ADDRESS: '2', TRUST_PROXY: '1' },
    database,
  });
  const from = async (address: string) =>
    (
      await gateway.graphql(
        '{ __typename }',
        {},
        { authorization: null, headers: { 'x-forwarded-for': address } },
      )
    ).status;
  expect([await from('203.0.113.1'), await from('203.0.113.1'), await from('203.0.113.1')]).toEqual([
    ...[200, 200, 429],
  ]);
  expect(await from('203.0.113.2')).toBe(200);
  // Of IPv6 the network, which is one customer's.
  expect([await from('2001:db8::1'), await from('2001:db8::2'), await from('2001:db8::3')]).toEqual([
    ...[200, 200, 429],
  ]);
  // Some proxies add the caller's port, which each connection changes.
  expect([await from('203.0.113.3:5001'), await from('203.0.113.3:5002'), await from('203.0.113.3')]).toEqual(
    [200, 200, 429],
  );
  expect([await from('[2001:db8:1::1]:5001'), await from('[2001:db8:1::2]')]).toEqual([200, 200]);
  expect(await from('2001:db8:1::3')).toBe(429);
  // What is no address counts as the proxy itself, so that invented names get no allowance of their own.
  expect([await from('unknown'), await from('_hidden'), await from('203.0.113.9.7')]).toEqual([
    200, 200, 429,
  ]);
});

test('two processes count together in the database, and each by itself while it is away', async () => {
  const env = { ROLES: 'web', RATE_LIMITS: 'postgres', RATE_LIMIT_WRITES: '3' };
  await using one = await startGateway({ env });
  await using other = await startGateway({ env, database: one.database });
  const codes = [];
  for (const gateway of [one, other, one, other, one])
    codes.push((await say(gateway, { ticketId: 47 })).code);
  expect(codes).toEqual([undefined, undefined, undefined, 'RATE_LIMITED', 'RATE_LIMITED']);
  const rows = await one.sql`select points from rate_limits where key like 'write:%'`;
  expect(rows.map(({ points }) => points)).toEqual([5]);
  await one.sql`alter table rate_limits rename to gone`;
  expect((await say(one, { ticketId: 47 }, asRequester)).code).toBeUndefined();
});

test('counters that the database does not answer for hold no request up', async () => {
  const env = { ROLES: 'web', RATE_LIMITS: 'postgres', RATE_LIMIT_WRITES: '2' };
  await using gateway = await startGateway({ env, database });
  await gateway.sql.begin(async (tx) => {
    await tx`lock table rate_limits in access exclusive mode`;
    const codes = [(await say(gateway, { ticketId: 47 })).code];
    // It has been answered, and the statement that counts it still waits.
    const waiting = await tx`
      select from pg_locks where relation = 'rate_limits'::regclass and not granted`;
    expect(waiting).toHaveLength(1);
    for (let n = 0; n < 2; n += 1) codes.push((await say(gateway, { ticketId: 47 })).code);
    expect(codes).toEqual([undefined, undefined, 'RATE_LIMITED']);
  });
});

const hourMs = 3_600_000;
const yearMs = 365 * 24 * hourMs;

test.each(['memory', 'postgres'])(
  'a clock that is set back makes nobody wait longer than the window (%s)',
  async (store) => {
    await using gateway = await startGateway({
      env: { ROLES: 'web', RATE_LIMITS: store, RATE_LIMIT_WRITES: '2' },
      database,
    });
    const at = Date.now();
    vi.useFakeTimers({ toFake: ['Date'], now: at });
    for (let n = 0; n < 3; n += 1) await say(gateway, { ticketId: 47 });
    for (const offMs of [0, -hourMs, -yearMs]) {
      vi.setSystemTime(at + offMs);
      const { code, retryAfterSeconds } = await say(gateway, { ticketId: 47 });
      expect([code, retryAfterSeconds! > 0, retryAfterSeconds! <= 60]).toEqual(['RATE_LIMITED', true, true]);
      const { data } = await gateway.graphql<{ rateLimit: { resetsInSeconds: number }[] }>(
        '{ rateLimit { resetsInSeconds } }',
      );
      expect(data.rateLimit.filter(({ resetsInSeconds: s }) => s > 60 || s < 0)).toEqual([]);
    }
  },
);

test('processes whose clocks differ share one window of a minute, by the database’s clock', async () => {
  const env = { ROLES: 'web', RATE_LIMITS: 'postgres', RATE_LIMIT_WRITES: '3' };
  await using gateway = await startGateway({ env, database });
  const at = Date.now();
  vi.useFakeTimers({ toFake: ['Date'], now: at });
  const codes = [];
  for (const offMs of [hourMs, 0, -hourMs, hourMs, 0]) {
    vi.setSystemTime(at + offMs);
    codes.push((await say(gateway, { ticketId: 47 })).code);
  }
  expect(codes).toEqual([undefined, undefined, undefined, 'RATE_LIMITED', 'RATE_LIMITED']);
  const rows = await gateway.sql`
    select points, expire - (extract(epoch from now()) * 1000)::int8 between 0 and 60000 as soon
    from rate_limits where key like 'write:%'`;
  // A caller over the limit is refused without a statement until the window ends.
  expect(rows.map(({ points, soon }) => [points, soon])).toEqual([[4, true]]);
  // A window that ends later was left by a clock that has been set back, and is over.
  const ask = async () => (await say(gateway, { ticketId: 47 }, asRequester)).code;
  for (let n = 0; n < 3; n += 1) expect(await ask()).toBeUndefined();
  await gateway.sql`update rate_limits set expire = expire + ${yearMs}`;
  expect([await ask(), await ask(), await ask(), await ask()]).toEqual([
    ...[undefined, undefined, undefined, 'RATE_LIMITED'],
  ]);
});

test('RATE_LIMITS=off limits nothing, and says so', async () => {
  await using gateway = await startGateway({
    env: { ROLES: 'web', RATE_LIMITS: 'off', RATE_LIMIT_WRITES: '1' },
    database,
  });
  for (let n = 0; n < 3; n += 1)
    expect(await say(gateway, { ticketId: 47 })).toEqual({ __typename: 'AddTicketMessagePayload' });
  expect((await gateway.graphql('{ rateLimit { name } }')).data).toEqual({ rateLimit: [] });
});
