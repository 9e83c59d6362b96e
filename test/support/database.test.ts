import { createRequire } from 'node:module';
import { GraphQLObjectType } from 'graphql';
import { expect, test } from 'vitest';
import * as tables from '../../src/db/tables.ts';
import { errorCodeOf } from '../../src/platform/database-faults.ts';
import { createTestDatabase } from './database.ts';

test('each test has a database of its own, migrated and empty', async () => {
  await using one = await createTestDatabase();
  await using other = await createTestDatabase();
  await one.database.desk.insert(tables.users).values({ login: 'a', name: 'A', role: 'OPERATOR' });
  expect(await one.database.desk.$count(tables.users)).toBe(1);
  expect(await other.database.desk.$count(tables.users)).toBe(0);
});

test('the gateway cannot look past row-level security, nor change a table, whatever it asks', async () => {
  await using world = await createTestDatabase();
  await world.database.check();
  const [row] = await world.database.raw`select current_user as role, session_user as login`;
  expect(row).toEqual({ role: 'ticketwire_app', login: 'gateway' });
  for (const statement of ['alter table messages disable row level security', 'set role ticketwire']) {
    const error = await world.database.raw.unsafe(statement).catch((e) => e);
    expect(errorCodeOf(error), statement).toBe('42501');
  }
});

test('graphql is loaded once, however it is asked for', async () => {
  const require = createRequire(import.meta.resolve('graphql-yoga'));
  expect(require('graphql').GraphQLObjectType).toBe(GraphQLObjectType);
  const { default: SchemaBuilder } = await import('@pothos/core');
  const builder = new SchemaBuilder({});
  builder.queryType({ fields: (t) => ({ one: t.int({ resolve: () => 1 }) }) });
  expect(builder.toSchema().getQueryType()).toBeInstanceOf(GraphQLObjectType);
  const { createYoga } = await import('graphql-yoga');
  const answer = await createYoga({ schema: builder.toSchema() }).fetch(
    'http://localhost/graphql?query={one}',
  );
  expect(await answer.json()).toEqual({ data: { one: 1 } });
});
