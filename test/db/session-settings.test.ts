import { randomBytes } from 'node:crypto';
import postgres from 'postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Connection, openDatabase } from '../../src/db/database.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { add } from '../tickets/calls.ts';

/** What an administrator may have set for the gateway's database. */
const settings = {
  DateStyle: 'SQL, DMY',
  TimeZone: 'Asia/Kathmandu',
  bytea_output: 'escape',
  standard_conforming_strings: 'off',
  default_transaction_isolation: 'serializable',
  default_transaction_deferrable: 'on',
  extra_float_digits: '-10',
  search_path: 'nowhere',
  statement_timeout: '2s',
  lock_timeout: '5ms',
  array_nulls: 'off',
  transform_null_equals: 'on',
  row_security: 'off',
  idle_session_timeout: '1s',
  IntervalStyle: 'sql_standard',
  client_min_messages: 'debug1',
  client_encoding: 'LATIN1',
  backslash_quote: 'off',
  default_text_search_config: 'english',
  gin_fuzzy_search_limit: '1',
  transaction_timeout: '1s',
  idle_in_transaction_session_timeout: '1ms',
  synchronous_commit: 'off',
} satisfies Record<string, string>;

let database: TestDatabase;
let usual: Gateway;
let odd: Gateway;
beforeAll(async () => {
  database = await createTestDatabase('demo');
  usual = await startGateway({ env: { ROLES: 'web' }, database });
  const owner = database.asOwner();
  const [row] = await owner<{ name: string }[]>`select current_database() as name`;
  for (const [key, value] of Object.entries(settings))
    await owner.unsafe(`alter database ${row!.name} set ${key} = '${value}'`);
  await owner.end();
  odd = await startGateway({ env: { ROLES: 'web' }, database });
});
afterAll(async () => {
  await odd[Symbol.asyncDispose]();
  await usual[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

const page = `{
  ticket(by: { ticketId: 5 }) {
    subject createdAt status
    messages(first: 20) {
      nodes { messageId createdAt body attachments { fileName byteSize } delivery { state createdAt dueAt } }
    }
  }
  tickets(first: 5) { nodes { reference createdAt } }
}`;

test('settings of the database for its sessions change no answer', async () => {
  const email = { from: 'company@domain.com', cc: ['jane@domain.com', '"a b"@domain.com'] };
  const mailed = await add(odd, { ticket: { ticketId: 5 }, body: "back\\slash ' quote", email });
  expect(mailed.__typename).toBe('AddTicketMessagePayload');
  expect(Math.abs(Date.parse(`${mailed.delivery?.dueAt}`) - Date.now())).toBeLessThan(600_000);
  const [told, expected] = [await odd.graphql(page), await usual.graphql(page)];
  expect(expected.errors).toBeUndefined();
  expect(told.errors).toBeUndefined();
  expect(told.data).toEqual(expected.data);
});

test('a command waits for a lock again and again, longer than the database allows', async () => {
  const ticket = { ticketId: 6 };
  const close = `mutation ($ticket: TicketSelector!) {
    setTicketStatus(input: { ticket: $ticket, status: CLOSED }) { __typename } }`;
  const holder = postgres({
    ...(database.ownerConnection as Exclude<Connection, string>),
    ...{ max: 2, fetch_types: false, onnotice: () => {} },
    connection: {
      idle_in_transaction_session_timeout: '0' as never,
      transaction_timeout: '0',
      search_path: 'public',
    },
  });
  let isAnswered = false;
  const attempts = new Set<string>();
  const asked = await holder.begin(async (tx) => {
    await tx`select from tickets where id = ${ticket.ticketId} for update`;
    const answer = odd.graphql<object>(close, { ticket }).finally(() => (isAnswered = true));
    await eventually(async () => {
      const waiting = await holder<{ since: string }[]>`select xact_start::text as since
        from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
      for (const { since } of waiting) attempts.add(since);
      return isAnswered || attempts.size > 1;
    });
    return { answer };
  });
  await holder.end();
  const { data, errors } = await asked.answer;
  expect([data, errors]).toEqual([{ setTicketStatus: { __typename: 'SetTicketStatusPayload' } }, undefined]);
});

test('neither a commit nor a search is less than it says, and no transaction is ended', async () => {
  const { connection } = database;
  await using opened = openDatabase(connection, { poolSize: 1, writerConnections: 1 });
  for (const pool of [opened.desk, opened.writer, opened.commands]) {
    const rows = await pool.execute(`select current_setting('synchronous_commit') as commit,
      current_setting('gin_fuzzy_search_limit') as "limit",
      current_setting('transaction_timeout', true) as longest`);
    expect(rows).toEqual([{ commit: 'on', limit: '0', longest: '0' }]);
  }
});

test('groups and repeated keys come to one result each', async () => {
  const key = randomBytes(8).toString('hex');
  const inputs = Array.from({ length: 20 }, (_, n) => ({
    ...{ ticket: { ticketId: 10 + (n % 4) }, body: `in a group ${n % 10}` },
    idempotencyKey: `${key} ${n % 10}`,
  }));
  const answers = await Promise.all(inputs.map((input, n) => add(n % 2 ? odd : usual, input)));
  expect(answers.map(({ __typename }) => __typename)).not.toContain('Fault');
  const rows = await usual.sql`select body from public.messages where body like 'in a group %'`;
  expect(rows.length).toBe(new Set(rows.map(({ body }) => body)).size);
});
