import { expect, test } from 'vitest';
import { Recent, remembering } from '../../src/platform/lru.ts';

test('what is asked for again and again stays, however much else comes by', () => {
  const recent = new Recent<number>(10);
  recent.put('kept', 1);
  for (let n = 0; n < 1000; n++) {
    recent.put(`other ${n}`, n);
    if (n % 5 === 0) expect(recent.get('kept')).toBe(1);
  }
});

test('what nobody asks for is forgotten: no more than two generations are kept', () => {
  const recent = new Recent<number>(10);
  for (let n = 0; n < 1000; n++) recent.put(`text ${n}`, n);
  const left = Array.from({ length: 1000 }, (_, n) => n).filter((n) => recent.get(`text ${n}`) !== undefined);
  expect(left.length).toBeLessThanOrEqual(20);
  expect(left.at(-1)).toBe(999);
});

test('what weighs more leaves room for less, in use or not', () => {
  const recent = new Recent<number>(100);
  for (let n = 0; n < 1000; n++) recent.put(`text ${n}`, n, 50);
  const left = () =>
    Array.from({ length: 1000 }, (_, n) => n).filter((n) => recent.get(`text ${n}`) !== undefined);
  expect(left().length).toBeLessThanOrEqual(4);
  expect(left().length).toBeGreaterThan(0);
});

test('a text is computed once, and one that is too long each time', () => {
  const computed: string[] = [];
  const lengthOf = remembering(
    (text) => {
      computed.push(text);
      return text.length;
    },
    { texts: 10, longest: 4 },
  );
  expect(['four', 'four', 'five!', 'five!'].map(lengthOf)).toEqual([4, 4, 5, 5]);
  expect(computed).toEqual(['four', 'five!', 'five!']);
});
