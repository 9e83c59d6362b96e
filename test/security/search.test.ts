import { afterAll, beforeAll, expect, test } from 'vitest';
import { asRequester, type Gateway, startGateway } from '../support/gateway.ts';
import {
  createCountedDatabase,
  type ExecutedStatement,
  executedStatements,
} from '../support/observed/executed-statements.ts';
import { openRequesterSession } from './requester-session.ts';

/** Is in private notes of the requester's own ticket, in another's ticket, and in a redacted message. */
const secret = 'quincunx';
/** Is in the subject and a public message of the requester's own ticket. */
const theirs = 'samovar';
const parts = new AsyncDisposableStack();
let gateway: Gateway;
beforeAll(async () => {
  const database = parts.use(await createCountedDatabase());
  gateway = parts.use(await startGateway({ database, env: { ROLES: 'web', DATABASE_POOL: '2' } }));
  await gateway.sql`
    insert into messages (ticket_id, author_id, body, format, visibility, is_mobile_device)
    select case when n % 2 = 0 then 47 else 1 end, 1, ${`${secret} `} || n, 'TEXT',
      case when n % 2 = 0 then 'PRIVATE' else 'PUBLIC' end, false from generate_series(1, 300) n`;
  await gateway.sql`
    insert into messages (ticket_id, author_id, body, format, visibility, is_mobile_device)
    values (47, 1, ${theirs}, 'TEXT', 'PUBLIC', false)`;
  await gateway.sql`update tickets set subject = subject || ' ' || ${theirs} where id = 47`;
  await gateway.sql`update tickets set subject = ${secret}, reference = ${secret} where id = 1`;
});
afterAll(() => parts[Symbol.asyncDispose]());

const paths: Readonly<Record<string, string>> = {
  search: `query ($text: String!) { search(text: $text, first: 100) {
    edges { cursor node { ticket { id } ticketMessage { id } } } pageInfo { hasNextPage endCursor } } }`,
  tickets: `query ($text: String!) { tickets(filter: { text: $text }, orderBy: LAST_MESSAGE) {
    totalCount totalCountIsExact nodes { id } pageInfo { hasNextPage endCursor } } }`,
  reference: `query ($text: String!) { tickets(filter: { reference: $text }) {
    totalCount nodes { id lastMessage { id } } } }`,
};
const ask = async (query: string, text: string) => {
  const { data, errors } = await gateway.graphql<object>(query, { text }, { authorization: asRequester });
  return { data, errors };
};

test('to a requester, what is not theirs is as what does not exist, in answers and in work', async () => {
  /**
   * A connection's first executions read the catalogue as well, so the least of many is compared. The gateway
   * also reads the database's clock now and then, each time when the machine is busy: a statement that visits
   * no block, or did not run each time, is left out.
   */
  const leastWorkOf = async (query: string, text: string) => {
    const asked: ExecutedStatement[][] = [];
    for (let n = 0; n < 12; n++) asked.push(await executedStatements(gateway.sql, () => ask(query, text)));
    const each = asked.at(-1)!.filter(({ id }) => asked.every((rows) => rows.some((row) => row.id === id)));
    return each
      .map(({ id, calls, rows }) => {
        const same = asked.flatMap((all) => all.filter((row) => row.id === id));
        return { id, calls, rows, blocks: Math.min(...same.map(({ blocks }) => blocks)) };
      })
      .filter(({ blocks }) => blocks > 0);
  };
  for (const [name, query] of Object.entries(paths)) {
    expect([name, await ask(query, secret)]).toEqual([name, await ask(query, 'nonesuch')]);
    // A reference is looked up by its key, as `ticket(by:)` does: one block more where there is one.
    if (name !== 'reference') {
      const work = await leastWorkOf(query, 'nonesuch');
      // Finding a word of their own takes a different number of blocks, so the measurement can distinguish
      // the two.
      expect(await leastWorkOf(query, theirs)).not.toEqual(work);
      expect([name, await leastWorkOf(query, secret)]).toEqual([name, work]);
    }
  }
});

test('the functions and the table behind the search tell a requester’s session nothing', async () => {
  await using session = await openRequesterSession(gateway);
  const { sql } = session;
  for (const word of [secret, 'the'])
    expect(await sql`select find_message_ids(${word}::text::tsquery, 2147483647, 100)`).toEqual([]);
  expect(await sql`select find_ticket_ids(${secret}::text::tsquery, ${secret}, 2147483647, 100)`).toEqual([]);
  await expect(sql`select from ticket_search`).rejects.toThrow(/permission denied/);
  const ownWith = (word: string) =>
    sql`select find_own_ticket_ids(${word}::text::tsquery, ${[word, null]}::text[], 2147483647) as id`;
  expect(await ownWith(secret)).toEqual([]);
  expect(await ownWith(theirs)).toEqual([{ id: 47 }]);
  const all = await sql`select find_own_ticket_ids('!x', null, 2147483647) as id`;
  expect(all.map(({ id }) => id).sort()).toEqual(
    (await sql`select id from tickets`).map(({ id }) => id).sort(),
  );
  const every = Array.from({ length: 1000 }, (_, n) => n);
  const ownMessagesWith = async (word: string) =>
    (await sql`select find_own_message_ids(${word}::text::tsquery, ${every}) as id order by 1`).map(
      ({ id }) => id,
    );
  const seen = (await sql`select id from messages order by 1`).map(({ id }) => id);
  expect([await ownMessagesWith(secret), await ownMessagesWith('!x')]).toEqual([[], seen]);
  await sql`select set_config('ticketwire.viewer_role', 'OPERATOR', false)`;
  expect([await ownWith(theirs), await ownMessagesWith('!x')]).toEqual([[], []]);
  expect(await sql`select find_message_ids(${secret}::text::tsquery, 2147483647, 9)`).toHaveLength(9);
});

test('a search needs a credential with the scope read', async () => {
  const query = '{ search(text: "printer") { nodes { ticket { id } } } }';
  const { errors } = await gateway.graphql(query, {}, { authorization: null });
  expect(errors?.map(({ extensions }) => extensions?.code)).toEqual(['UNAUTHENTICATED']);
});

test('a document cannot search without end', async () => {
  const one = 'search(text: "x", first: 1) { nodes { ticket { id } } }';
  const many = (count: number) => `{ ${Array.from({ length: count }, (_, n) => `s${n}: ${one}`)} }`;
  expect((await gateway.graphql(many(10))).errors).toBeUndefined();
  const { errors } = await gateway.graphql(many(40));
  expect(errors?.map(({ extensions }) => extensions?.code)).toEqual(['DOCUMENT_TOO_COMPLEX']);
});

test('no session but the owner’s writes the search’s words by a trigger of its own', async () => {
  await using session = await openRequesterSession(gateway);
  const { sql } = session;
  await sql`create temp table mine (id integer, reference text, subject text, body text, format text)`;
  for (const writes of ['note_ticket_search', 'note_message_search'])
    await expect(
      sql.unsafe(`create trigger words after insert on mine for each row execute function ${writes}()`),
    ).rejects.toThrow(/permission denied/);
});
