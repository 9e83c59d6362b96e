import type postgres from 'postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createLog } from '../../../src/platform/log.ts';
import { startMessageSearchIndexer } from '../../../src/tickets/message-search-indexer.ts';
import { createOlderDatabase, type OlderDatabase } from '../../db/upgrade/older-database.ts';
import { countWaiting } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { soaking } from '../../support/soak.ts';

/* Words that an earlier version wrote are written anew behind the upgrade, in small steps. */

const messageCount = 500;
/** Their ids are from 1. What is in a text of each is found by this version alone. */
async function fillDesk(sql: postgres.Sql): Promise<void> {
  await sql`insert into users (id, login, name, email, role)
    values (1, 'ann', 'Ann', 'ann@x.test', 'OPERATOR')`;
  await sql`insert into tickets (id, reference, subject, requester_id)
    values (7, ${'R\ufe0f-7'}, ${'A mel\ufe0flophone'}, 1)`;
  await sql`insert into messages (ticket_id, author_id, body, format, visibility, is_mobile_device)
    select 7, 1, ${'plain \u{1f5a8}\ufe0fsack\u034fbut '} || n, 'TEXT', 'PUBLIC', false
    from generate_series(1, ${messageCount}) n`;
  await eventually(async () => {
    await sql`select fill_message_search(200)`;
    return (await sql`select covered from search_progress`)[0]!.covered === messageCount;
  });
}

const found = async (sql: postgres.Sql, text: string): Promise<number[]> => {
  const rows = await sql`select find_message_ids(text_query(${text}), 2147483647, 1000) as id`;
  return rows.map(({ id }) => id);
};
const step = async (sql: postgres.Sql) => (await sql`select renew_search_words(200) as read`)[0]!.read;
const outdated = async (sql: postgres.Sql) => {
  const [row] = await sql`select outdated_tickets, outdated_messages from search_progress`;
  return [row!.outdated_tickets, row!.outdated_messages];
};
const rowVersions = (sql: postgres.Sql) => sql`select ctid::text from message_search order by message_id`;

let older: OlderDatabase;
beforeAll(async () => {
  older = await createOlderDatabase('0030');
  await fillDesk(older.sql);
  await older.upgrade();
});
afterAll(() => older[Symbol.asyncDispose]());

test('an upgrade writes no words itself, and each step those of 200 rows, the newest first', async () => {
  await using last = await createOlderDatabase('0030');
  const { sql } = last;
  await fillDesk(sql);
  const before = await rowVersions(sql);
  await last.upgrade();
  expect(await rowVersions(sql)).toEqual(before);
  expect(await outdated(sql)).toEqual([7, messageCount]);
  expect([(await found(sql, 'plain')).length, await found(sql, 'sackbut')]).toEqual([messageCount, []]);

  expect([await step(sql), await outdated(sql)]).toEqual([1, [0, messageCount]]);
  const tickets = await sql`select find_ticket_ids(text_query('mellophone'), 'r-7', 1000, 10) as id`;
  expect([...tickets]).toEqual([{ id: 7 }]);

  expect([await step(sql), await outdated(sql)]).toEqual([200, [0, 300]]);
  const newest = await found(sql, 'sackbut');
  expect([newest.length, newest[0], newest.at(-1)]).toEqual([200, 500, 301]);
  expect(await found(sql, 'plain')).toHaveLength(messageCount);

  expect([await step(sql), await step(sql), await step(sql)]).toEqual([200, 100, 0]);
  expect(await outdated(sql)).toEqual([0, 0]);
  expect(await found(sql, 'sackbut')).toHaveLength(messageCount);
});

// `npm test` has a worker renew words in test/tickets/read/lost-words.test.ts.
test.runIf(soaking)(
  'a desk whose words the last version had written anew is upgraded as well, by the worker',
  async () => {
    await using last = await createOlderDatabase('0031');
    const { sql } = last;
    await fillDesk(sql);
    const { desk } = await last.upgrade();
    expect(await found(sql, 'sackbut')).toEqual([]);
    const log = createLog('silent');
    await using _one = startMessageSearchIndexer(desk, log);
    await using _other = startMessageSearchIndexer(desk, log);
    await expect.poll(() => outdated(sql)).toEqual([0, 0]);
    expect(await found(sql, 'sackbut')).toHaveLength(messageCount);
  },
);

test('a redaction that meets a renewal leaves no word, whichever is first', async () => {
  const { sql } = older;
  await sql`with outdated as (update search_progress set outdated_tickets = 0, outdated_messages = 2)
    update message_search set words = 'old' where message_id <= 2`;
  const redact = (on: postgres.Sql, id: number) => on`update messages set body = '' where id = ${id}`;
  const renew = (on: postgres.Sql) => on`select renew_search_words(1)`;
  const meet = async (first: typeof redact, second: typeof redact, id: number) => {
    let later: Promise<unknown> | undefined;
    await sql.begin(async (tx) => {
      await first(tx as unknown as postgres.Sql, id);
      later = second(sql, id).execute();
      await expect.poll(() => countWaiting(sql)).toBe(1);
    });
    await later;
  };
  await meet(redact, renew, 2);
  await meet(renew, redact, 1);
  const left = await sql`select message_id, words::text from message_search where message_id <= 2 order by 1`;
  expect([...left]).toEqual([1, 2].map((id) => ({ message_id: id, words: "'#0'" })));
  expect(await outdated(sql)).toEqual([0, 0]);
});

test('a renewal that fails or is cut is begun again where it was', async () => {
  const { sql } = older;
  await sql`update search_progress set outdated_tickets = 0, outdated_messages = ${messageCount}`;
  const cut = sql.begin(async (tx) => {
    expect(await step(tx as unknown as postgres.Sql)).toBe(200);
    // Another session does not wait for it.
    expect(await step(sql)).toBe(null);
    throw new Error('cut');
  });
  await expect(cut).rejects.toThrow('cut');
  expect(await outdated(sql)).toEqual([0, messageCount]);
  expect(await step(sql)).toBe(200);
});

test('a step reads fewer bodies when they are large', async () => {
  const { sql } = older;
  await sql`insert into messages (ticket_id, author_id, body, format, visibility, is_mobile_device)
    select 7, 1, repeat(n || ' large ', 20000), 'TEXT', 'PUBLIC', false from generate_series(1, 30) n`;
  await sql`update search_progress set outdated_tickets = 0, outdated_messages = 2147483647`;
  expect([await step(sql), await step(sql), await step(sql)]).toEqual([10, 10, 10]);
  await sql`delete from messages where id > ${messageCount}`;
});
