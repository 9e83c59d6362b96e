import { expect, test } from 'vitest';
import { createTestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';

test('statements that wait for a connection are counted where they have a time limit, else not', async () => {
  await using own = await createTestDatabase();
  const { database } = own;
  const waiting = () => Object.fromEntries(database.loads().map((load) => [load.pool, load.waiting]));
  const none = { desk: 0, writer: 0, operators: 0, requesters: 0, commands: 0 };
  expect(waiting()).toEqual({ ...none, mail: undefined, listeners: undefined });
  const gate = Promise.withResolvers<void>();
  const locked = Promise.withResolvers<void>();
  const holding = database.raw.begin(async (tx) => {
    await tx`select pg_advisory_xact_lock(1)`;
    locked.resolve();
    await gate.promise;
  });
  await locked.promise;
  // Of as many as there are connections none waits, unlike of those after them.
  const asked = Array.from({ length: 8 }, () =>
    database.commands.execute('select pg_advisory_xact_lock_shared(1)'),
  );
  const all = Promise.all(asked);
  await eventually(() => waiting().commands === 3);
  gate.resolve();
  await Promise.all([all, holding]);
  expect(waiting()).toMatchObject(none);
});
