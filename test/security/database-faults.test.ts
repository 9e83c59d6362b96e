import { randomBytes } from 'node:crypto';
import postgres from 'postgres';
import { expect, test } from 'vitest';
import type { Connection } from '../../src/db/database.ts';
import { createTestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { asRequester, type Gateway, startGateway } from '../support/gateway.ts';

const add = `mutation($input: AddTicketMessageInput!) {
  addTicketMessage(input: $input) { __typename
  ... on AddTicketMessagePayload { replayed ticketMessage { messageId } } ... on UserError { code } }
}`;
interface Added {
  addTicketMessage: { __typename: string; ticketMessage: { messageId: number } };
}
const input = (body: string, more: object = {}) => ({ input: { ticket: { ticketId: 47 }, body, ...more } });

/** A request for everything that uses the database. */
const requests: Record<string, (gateway: Gateway) => Promise<{ status: number; headers: Headers }>> = {
  'a mutation': (gateway) => gateway.graphql(add, input('x')),
  'a refused mutation': (gateway) => gateway.graphql(add, input('')),
  'the old endpoint': (gateway) => gateway.legacy({ TicketREF: 'INC-000047', Message: 'x' }),
  'an operator who reads': (gateway) => gateway.graphql('{ ticket(by: {ticketId: 47}) { id } }'),
  'a requester who reads': (gateway) =>
    gateway.graphql('{ ticket(by: {ticketId: 47}) { id } }', {}, { authorization: asRequester }),
  'a download': ({ url }) =>
    fetch(`${url}/attachments/QXR0YWNobWVudDox`, { headers: { authorization: asRequester } }),
};

test('while the database does not answer, everything says so in bounded time; then all goes on', async () => {
  await using gateway = await startGateway({ env: { ROLES: 'web', DATABASE_TIMEOUT: '2' } });
  await gateway.graphql('{ viewer { login } }', {}, { authorization: asRequester });
  await gateway.graphql('{ viewer { login } }');
  const before = await gateway.counts();
  await gateway.sql.begin(async (sql) => {
    await sql`lock table tickets in access exclusive mode`;
    // Ten of each, so that the pools are exhausted too.
    const asked = Object.entries(requests).flatMap(([name, ask]) =>
      Array.from({ length: 10 }, async () => {
        const { status, headers } = await ask(gateway);
        return `${name}: ${status}, ${headers.get('retry-after')}`;
      }),
    );
    expect([...new Set(await Promise.all(asked))].sort()).toEqual(
      Object.keys(requests)
        .map((name) => `${name}: 503, 2`)
        .sort(),
    );
    // The lock is still held: no request waited for it.
  });
  await expect.poll(async () => (await gateway.graphql<Added>(add, input('after'))).status).toBe(200);
  const after = await gateway.counts();
  // A statement that was sent before its caller got the error may still be executed, completely; nothing else
  // is.
  const more = after.messages! - before.messages!;
  expect(after.events! - before.events!).toBe(more);
  expect(more).toBeLessThan(20);
});

test('the metrics are there while a table of theirs is locked, without what it would tell', async () => {
  await using gateway = await startGateway({ env: { ROLES: 'web', DATABASE_TIMEOUT: '300' } });
  const scrape = async () => (await fetch(`${gateway.url}/metrics`)).text();
  await gateway.sql`
    insert into webhooks (url, secret, place, ticket_id, number)
    values ('https://hooks.example', '', 0, 0, 0)`;
  expect(await scrape()).toContain('ticketwire_webhooks{state="ENABLED"} 1');
  await gateway.sql.begin(async (sql) => {
    await sql`lock table webhooks in access exclusive mode`;
    // What was counted before is remembered for a moment. Then no scrape waits for the lock.
    const locked = await eventually(async () => {
      const text = await scrape();
      return !text.includes('ticketwire_webhooks{') && text;
    });
    expect(locked).toContain('ticketwire_database_up 1');
  });
});

/** What an administrator does while they work on a database, and how they undo it. */
const closings: Record<string, (database: string, login: string) => readonly [close: string, open: string]> =
  {
    'whose login may not connect': (database) => [
      `revoke connect on database ${database} from public`,
      `grant connect on database ${database} to public`,
    ],
    'that allows no connections': (database) => [
      `alter database ${database} allow_connections false`,
      `alter database ${database} allow_connections true`,
    ],
    'whose login has lost its role': (_, login) => [
      `revoke ticketwire_app from ${login}`,
      `grant ticketwire_app to ${login}`,
    ],
  };

test.each(Object.keys(closings))('a database %s is one that does not answer for a while', async (name) => {
  await using made = await createTestDatabase('demo');
  const place = made.ownerConnection as Exclude<Connection, string>;
  const owner = postgres({ ...place, database: 'postgres', max: 1, onnotice: () => {} });
  const login = `kept_out_${randomBytes(4).toString('hex')}`;
  await owner.unsafe(`create role ${login} login in role ticketwire_app`);
  const [close, open] = closings[name]!(place.database, login);
  try {
    await using gateway = await startGateway({
      env: { ROLES: 'web' },
      database: { ...made, connection: { ...place, user: login } },
    });
    const before = await gateway.counts();
    await owner.unsafe(close);
    await owner`select pg_terminate_backend(pid) from pg_stat_activity where usename = ${login}`;
    const sessions = () => owner`select from pg_stat_activity where usename = ${login}`;
    await eventually(async () => (await sessions()).length === 0);
    const { status, errors } = await gateway.graphql(add, input('closed'));
    expect([status, errors?.[0]?.extensions]).toMatchObject([
      503,
      { code: 'UNAVAILABLE', nothingWritten: true },
    ]);
    expect((await gateway.legacy({ TicketREF: 'INC-000047', Message: 'closed' })).status).toBe(503);
    await owner.unsafe(open);
    await expect.poll(async () => (await gateway.graphql(add, input('open'))).status).toBe(200);
    expect((await gateway.counts()).messages).toBe(before.messages! + 1);
  } finally {
    await owner.unsafe(open);
    await owner.unsafe(`drop role ${login}`);
    await owner.end();
  }
});
