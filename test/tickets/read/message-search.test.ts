import postgres from 'postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeRecords } from '../../../src/import/write-records.ts';
import { encodeGlobalId } from '../../../src/platform/global-id.ts';
import { countWaiting } from '../../support/database.ts';
import { asOperator, asRequester, type Gateway, startGateway } from '../../support/gateway.ts';
import { add, ask } from '../calls.ts';

/* The words of messages are written after the messages. What a search finds does not depend on when. */

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway({ env: { ROLES: 'web' } });
});
afterAll(() => gateway[Symbol.asyncDispose]());

const write = async (body: string) => (await add(gateway, { body })).ticketMessage.messageId;
async function search(text: string, authorization = asOperator): Promise<number[]> {
  const { nodes } = await ask<{ nodes: { ticketMessage: { messageId: number } }[] }>(
    gateway,
    `query ($text: String!) {
      search(text: $text, in: MESSAGES, first: 100) { nodes { ticketMessage { messageId } } } }`,
    { text },
    { authorization },
  );
  return nodes.map(({ ticketMessage }) => ticketMessage.messageId);
}
const redact = (messageId: number) =>
  gateway.graphql(`mutation { redactMessage(input: {
    message: "${encodeGlobalId('TicketMessage', messageId)}" }) { __typename } }`);
const another = () =>
  postgres({ ...(gateway.database.ownerConnection as object), max: 1, connection: desk as object });
/** What the functions ask of a session. */
const desk = { 'ticketwire.viewer_role': 'DESK' };

/** Fills until so many messages are covered: transactions of other databases may have to end first. */
async function fillUpTo(messageId: number): Promise<void> {
  const sql = another();
  await expect
    .poll(async () => {
      await sql`select fill_message_search(200)`;
      const [row] = await sql<{ covered: number }[]>`select covered from search_progress`;
      return row!.covered;
    })
    .toBeGreaterThanOrEqual(messageId);
  await sql.end();
}
const hasWords = async (messageId: number, word: string): Promise<boolean> => {
  const rows = await gateway.sql`
    select from message_search where message_id = ${messageId} and words @@ ${word}::tsquery`;
  return rows.length === 1;
};

test('a message is found before its words are written, and after', async () => {
  const id = await write('A tuba and a trombone');
  expect([await hasWords(id, 'tuba'), await search('tuba')]).toEqual([false, [id]]);
  await fillUpTo(id);
  expect([await hasWords(id, 'tuba'), await search('tuba')]).toEqual([true, [id]]);
  const later = await write('Another tuba');
  expect(await search('tuba')).toEqual([later, id]);
  expect(await search('"a trombone"')).toEqual([id]);
});

test('a message that commits after newer ones have their words is found', async () => {
  const [late, newer] = ['sarrusophone', 'serpent'];
  const sql = another();
  let id = 0;
  await sql.begin(async (tx) => {
    const [row] = await tx<{ id: number }[]>`
      insert into messages (ticket_id, author_id, body, format, visibility, is_mobile_device)
      values (47, 1, ${late}, 'TEXT', 'PUBLIC', false) returning id`;
    id = row!.id;
    const other = another();
    const newest = await write(newer);
    while (!(await hasWords(newest, newer))) await other`select fill_message_search(200)`;
    for (let times = 0; times < 3; times++) await other`select fill_message_search(200)`;
    const [progress] = await other<{ covered: number }[]>`select covered from search_progress`;
    expect(progress!.covered).toBeLessThan(id);
    await other.end();
  });
  await sql.end();
  expect(await search(late)).toEqual([id]);
  await fillUpTo(id);
  expect([await hasWords(id, late), await search(late)]).toEqual([true, [id]]);
});

test('a redaction that meets a filling leaves no word, whichever is first', async () => {
  const sql = another();
  const first = await write('hurdygurdy one');
  let redacted: Promise<unknown> | undefined;
  await sql.begin(async (tx) => {
    await tx`select fill_message_search(200)`;
    redacted = redact(first);
    await expect.poll(() => countWaiting(gateway.sql)).toBe(1);
  });
  await redacted;

  const second = await write('hurdygurdy two');
  const other = another();
  let filled: Promise<unknown> | undefined;
  await sql.begin(async (tx) => {
    await tx`update messages set body = '' where id = ${second}`;
    filled = other`select fill_message_search(200)`.execute();
    await expect.poll(() => countWaiting(gateway.sql)).toBe(1);
  });
  await filled;
  await Promise.all([sql.end(), other.end()]);

  await fillUpTo(second);
  expect(await search('hurdygurdy')).toEqual([]);
  const left = await gateway.sql`
    select message_id, words::text from message_search where message_id in (${first}, ${second}) order by 1`;
  expect([...left]).toEqual([first, second].map((id) => ({ message_id: id, words: "'#0'" })));
});

test('words follow a body that is changed, and go with a message that is deleted', async () => {
  const id = await write('a spinet');
  await fillUpTo(id);
  await gateway.sql`update messages set body = 'a harmonium' where id = ${id}`;
  expect([await search('spinet'), await search('harmonium')]).toEqual([[], [id]]);
  await gateway.sql`delete from events where message_id = ${id}`;
  await gateway.sql`delete from messages where id = ${id}`;
  expect(await gateway.sql`select from message_search where message_id = ${id}`).toHaveLength(0);
});

test('the newest 1,000 that lack their words are searched, and the others when they have them', async () => {
  const id = await write('a lone psaltery');
  await gateway.sql`insert into messages (ticket_id, author_id, body, format, visibility, is_mobile_device)
    select 47, 1, 'noise ' || n, 'TEXT', 'PRIVATE', false from generate_series(1, 1000) n`;
  expect(await search('psaltery')).toEqual([]);
  expect(await search('"noise 1"')).toHaveLength(1);
  await fillUpTo(id + 1000);
  expect(await search('psaltery')).toEqual([id]);
});

test('large messages are indexed a few at a time, and the newest are read before', async () => {
  const rows = await gateway.sql<{ id: number }[]>`
    insert into messages (ticket_id, author_id, body, format, visibility, is_mobile_device)
    select 47, 1, 'racket ' || repeat(repeat('x', 59) || ' ', 834), 'TEXT', 'PUBLIC', false
    from generate_series(1, 42)
    returning id`;
  const sql = another();
  const ids = rows.map(({ id }) => id).reverse();
  const foundByBoth = () => Promise.all([asOperator, asRequester].map((who) => search('racket', who)));
  const newest = ids.slice(0, 40);
  expect(await foundByBoth()).toEqual([newest, newest]);
  const steps: number[] = [];
  do steps.push((await sql`select fill_message_search(200) as lacked`)[0]!.lacked);
  while (steps.at(-1) === 200);
  expect(steps.length).toBeGreaterThanOrEqual(5);
  expect(await foundByBoth()).toEqual([ids, ids]);
  await sql`delete from messages where id = any (${ids})`;
  await sql.end();
});

test('a requester finds a message by its stored words, and reads no body that has some', async () => {
  const id = await write('a bagpipe');
  await fillUpTo(id);
  await gateway.sql`update message_search set words = 'crumhorn' where message_id = ${id}`;
  expect(await search('crumhorn', asRequester)).toEqual([id]);
  expect(await search('bagpipe', asRequester)).toEqual([]);
});

test('imported messages have their words at once, also below those that are covered', async () => {
  const [row] = await gateway.sql<{ id: number }[]>`select nextval('messages_id_seq')::int as id`;
  const { id } = row!;
  await fillUpTo(await write('a later one'));
  const record = { type: 'message', id, ticketId: 1, authorId: 1, visibility: 'PUBLIC' } as const;
  await gateway.database.database.desk.transaction((tx) =>
    writeRecords(tx, [{ ...record, body: 'a dulcian' } as never]),
  );
  expect(await search('dulcian')).toEqual([id]);
});

test('a desk that was restored into a cluster with lower transaction ids goes on', async () => {
  await gateway.sql`update search_progress set fence = 9000000000000`;
  const id = await write('a lute');
  await fillUpTo(id);
  expect(await search('lute')).toEqual([id]);
});

test('a process that sends mail writes the words', async () => {
  await using _worker = await startGateway({ database: gateway.database, env: { ROLES: 'worker' } });
  const id = await write('a zither');
  await expect.poll(() => hasWords(id, 'zither')).toBe(true);
});

test('a requester’s session cannot fill, read words or tell how far they are', async () => {
  const id = await write('a kazoo');
  const session = postgres({
    ...(gateway.database.connection as object),
    max: 1,
    connection: {
      role: 'ticketwire_app',
      'ticketwire.viewer_role': 'REQUESTER',
      'ticketwire.viewer_id': '2',
    },
  } as never);
  await session`select fill_message_search(200), note_message_words(array[${id}::int])`;
  expect(await hasWords(id, 'kazoo')).toBe(false);
  for (const table of ['message_search', 'search_progress'])
    await expect(session`select from ${session(table)}`).rejects.toThrow(/permission denied/);
  await session.end();
});
