import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openClient } from '../../src/db/driver/client.ts';
import { countWaiting, createTestDatabase, type TestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';

/*
 * Parameters that the driver cannot write, in a statement that follows others on a busy connection. What the
 * bare driver does is shown as well: where it is not faulty any more, its test fails.
 */

let own: TestDatabase;
let owner: postgres.Sql;
beforeAll(async () => {
  own = await createTestDatabase();
  owner = own.asOwner();
});
afterAll(() => own[Symbol.asyncDispose]());

const clients = {
  bare: () => postgres({ ...(own.ownerConnection as object), max: 1, onnotice: () => {} }),
  ours: () => openClient(own.ownerConnection, { max: 1 }),
};

const cyclic: Record<string, unknown> = {};
cyclic.itself = cyclic;
/** For each type, a value that can be written, and one that cannot. */
const unwritable: Record<string, [type: string, good: unknown, bad: unknown]> = {
  undefined: ['text', 'a', undefined],
  'a symbol': ['text', 'a', Symbol('a')],
  'an object without a text': ['text', 'a', Object.create(null)],
  'an invalid date': ['timestamptz', new Date(0), new Date(Number.NaN)],
  'no bytes': ['text', 'a', { toString: undefined, valueOf: undefined }],
  'an object in itself': ['json', { a: 1 }, cyclic],
  'what is nothing as JSON': ['json', { a: 1 }, () => {}],
  'a list with a symbol': ['text[]', ['a'], [Symbol('a')]],
};

/** What statements get that are sent together behind one that waits: two before the bad value, two after. */
async function answersAround(kind: keyof typeof clients, [type, good, bad]: [string, unknown, unknown]) {
  const sql = clients[kind]();
  const ask = (place: string, value: unknown) =>
    sql.unsafe(`select $1::text as place, $2::${type}`, [place, value] as never[], { prepare: true }).then(
      ([row]) => row!.place as string,
      (error) => String(error.code ?? error.name),
    );
  const wait = () => sql.unsafe('select pg_advisory_xact_lock_shared($1)', ['1'], { prepare: true });
  await wait();
  await ask('prepared', good);
  await owner`select pg_advisory_lock(1)`;
  const slow = wait().then(
    () => 'slow',
    (error) => String(error.code ?? error.name),
  );
  await eventually(async () => (await countWaiting(owner)) === 1);
  const all = [slow, ask('before', good), ask('bad', bad), ask('next', good), ask('last', good)];
  await new Promise(setImmediate);
  await owner`select pg_advisory_unlock(1)`;
  const answers: (string | undefined)[] = all.map(() => undefined);
  for (const [n, answer] of all.entries()) void answer.then((said) => (answers[n] = said));
  if (kind === 'ours') await Promise.all(all);
  // An answer is missing there, and nobody tells that it never comes.
  else for (let n = 0; n < 200; n += 1) await owner`select`;
  await sql.end({ timeout: 0 });
  return answers;
}

describe('a value that cannot be written', () => {
  for (const [name, values] of Object.entries(unwritable))
    test(`fails its own statement alone: ${name}`, async () => {
      expect(await answersAround('ours', values)).toEqual(['slow', 'before', '22021', 'next', 'last']);
    });

  test('fails another statement of the bare driver, and gives one the answer of the next', async () => {
    const [slow, before, , next] = await answersAround('bare', unwritable.undefined!);
    expect([slow, before, next]).toEqual(['UNDEFINED_VALUE', 'before', 'last']);
  });
});
