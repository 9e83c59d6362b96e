import { eq, sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { assign, insertFrom } from '../../src/db/insert-from.ts';
import { tickets, users } from '../../src/db/tables.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database[Symbol.asyncDispose]());

test('an insert writes the rows of a step to the named columns, and an update sets them', async () => {
  const db = database.database.desk;
  await db.execute(sql`
    with people as (select 'jane' as login, 'Jane Doe' as name union all select 'joe', 'Joe Bloggs')
    ${insertFrom(users, { name: sql`name`, login: sql`login`, role: sql`'REQUESTER'` }, sql`people`)}`);
  const found = await db.select().from(users).orderBy(users.login);
  expect(found.map(({ login, name, role }) => [login, name, role])).toEqual([
    ['jane', 'Jane Doe', 'REQUESTER'],
    ['joe', 'Joe Bloggs', 'REQUESTER'],
  ]);
  await db.execute(
    sql`update ${users} set ${assign(users, { name: sql`upper(${users.name})` })}
      where ${eq(users.login, 'joe')}`,
  );
  const names = await db.select({ name: users.name }).from(users).orderBy(users.login);
  expect(names).toEqual([{ name: 'Jane Doe' }, { name: 'JOE BLOGGS' }]);
});

test('a column that is not there, is generated, or is required and left out does not compile', () => {
  const value = sql`1`;
  const named = { login: value, name: value, role: value };
  // @ts-expect-error there is no such column
  expect(() => insertFrom(users, { ...named, nickname: value }, value)).toThrow('no column nickname');
  // @ts-expect-error the role is required
  insertFrom(users, { login: value, name: value }, value);
  const ticket = { reference: value, subject: value, requesterId: value };
  // @ts-expect-error PostgreSQL generates it
  insertFrom(tickets, { ...ticket, referenceKey: value }, value);
  const spread = { nickname: value };
  // @ts-expect-error there is no such column, wherever its name comes from
  expect(() => assign(users, { name: value, ...spread })).toThrow('no column nickname');
  // @ts-expect-error there is no such column
  expect(() => assign(users, { nickname: value })).toThrow('no column nickname');
});
