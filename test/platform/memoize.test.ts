import { expect, test } from 'vitest';
import { memoize } from '../../src/platform/memoize.ts';

test('a text in use stays cached, and at most as many results as configured are cached', () => {
  let computed = 0;
  const lengthOf = memoize(
    (text) => {
      computed += 1;
      return text.length;
    },
    { texts: 10, longest: 100 },
  );
  for (let n = 0; n < 1000; n++) {
    lengthOf('in use');
    lengthOf(`other ${n}`);
  }
  expect(computed).toBe(1001);
  for (let n = 0; n < 1000; n++) lengthOf(`other ${n}`);
  expect(computed).toBe(2001);
});

test('a result is computed once, and that of too long a text each time', () => {
  const computed: string[] = [];
  const lengthOf = memoize(
    (text) => {
      computed.push(text);
      return text.length;
    },
    { texts: 10, longest: 4 },
  );
  expect(['four', 'four', 'five!', 'five!'].map(lengthOf)).toEqual([4, 4, 5, 5]);
  expect(computed).toEqual(['four', 'five!', 'five!']);
});
