import { expect, test } from 'vitest';
import { ConcurrencyLimit } from '../../src/limits/concurrency-limit.ts';
import { TooMany } from '../../src/platform/errors.ts';

test('a place that is freed twice frees no place of another subscription', () => {
  const limit = new ConcurrencyLimit('TOO_MANY_SUBSCRIPTIONS', 2);
  const first = limit.take(1);
  const second = limit.take(1);
  expect(() => limit.take(1)).toThrow(TooMany);
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  limit.take(1);
  expect(() => limit.take(1)).toThrow(TooMany);
  second[Symbol.dispose]();
  limit.take(1);
  limit.take(2);
});
