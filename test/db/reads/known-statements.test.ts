import { expect, test } from 'vitest';
import { KnownStatements } from '../../../src/db/reads/known-statements.ts';

const [statement, other] = [{}, {}];
const second = 1000;

test('a statement is tried alone, and if it was short, all of it may run', () => {
  const known = new KnownStatements();
  expect(known.admit(statement, 0)).toBe('TRIAL');
  expect(known.admit(statement, 1)).toBeUndefined();
  expect(known.admit(other, 1)).toBe('TRIAL');
  known.wasShort(statement);
  expect([known.admit(statement, 2), known.admit(statement, 2)]).toEqual(['FREELY', 'FREELY']);
  expect(known.admit(other, 2)).toBeUndefined();
});

test('one that was long is tried again after 10 s, and after twice as long each time, up to 10 min', () => {
  const known = new KnownStatements();
  known.admit(statement, 0);
  known.wasShort(statement);
  // Many that were sent together were long, one after the other.
  for (let n = 0; n < 32; n += 1) known.wasLong(statement, n / 32);
  const trials: number[] = [];
  for (let now = 1; now < 2400; now += 1)
    if (known.admit(statement, now * second)) {
      trials.push(now);
      known.wasLong(statement, now * second);
    }
  expect(trials).toEqual([10, 30, 70, 150, 310, 630, 1230, 1830]);
  known.admit(statement, 3000 * second);
  known.wasShort(statement);
  known.wasLong(statement, 3001 * second);
  expect(known.admit(statement, 3010 * second)).toBeUndefined();
  expect(known.admit(statement, 3011 * second)).toBe('TRIAL');
});
