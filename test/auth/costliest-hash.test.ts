import { expect, test } from 'vitest';
import { createCostliestHash } from '../../src/auth/costliest-hash.ts';
import { checkPassword } from '../../src/auth/passwords.ts';
import { lowCost } from '../support/low-cost.ts';
import { createWorld, dearHashOf } from './people.ts';

const bcrypt12 = '$2a$12$abcdefghijklmnopqrstuuiL5fNYxhiXoiUyxFVebbdLH7nrlR6Tu';
const bcrypt5 = '$2b$05$abcdefghijklmnopqrstuu3F58TMR3T5heUT7a5uNIipGppqvc3lW';
const aspNet =
  'AQAAAAEAA9CQAAAAIESkQuj2Du8Y+kbc5lcN/W/3NiAZFEm11P27nrSN5/tId+bR1SwV8CO1Jd72r4C08OLvplNlCDc3oQZ8efcW+jQ=';

test('a key with no known user finds the costliest hash that can still be verified', async () => {
  await using world = await createWorld();
  const find = createCostliestHash(world.desk, world.now);
  await world.add({ login: 'ours', passwordHash: dearHashOf.operator });
  await world.add({ login: 'cheap', passwordHash: bcrypt5 });
  // It is cheaper than ours, and its check would tell by its time whose password was imported.
  const cheapest = await find();
  expect(cheapest).toMatch(/^\$2b\$05\$/);
  expect(await checkPassword(cheapest, 'my password', { cost: lowCost })).toEqual({ valid: false });
  await world.add({ login: 'imported', passwordHash: bcrypt12 });
  await world.add({ login: 'other', passwordHash: aspNet });
  // The result is cached for ten minutes.
  expect(await find()).toMatch(/^\$2b\$05\$/);
  world.pass(600);
  const costliest = await find();
  expect(costliest).toMatch(/^\$2a\$12\$/);
  expect(costliest).not.toBe(bcrypt12);
});

test('hashes like new ones need none', async () => {
  await using world = await createWorld();
  await world.add({ login: 'ours', passwordHash: dearHashOf.operator });
  expect(await createCostliestHash(world.desk, world.now)()).toBeUndefined();
});

test('a disabled user’s hash is not looked for', async () => {
  await using world = await createWorld();
  await world.add({ login: 'gone', passwordHash: bcrypt12, disabledAt: new Date() });
  expect(await createCostliestHash(world.desk, world.now)()).toBeUndefined();
});
