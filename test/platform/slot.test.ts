import { expect, test } from 'vitest';
import { Slot } from '../../src/platform/slot.ts';

test('a value is kept on its object alone: not on copies, and not in JSON', () => {
  const slot = new Slot<object, string>();
  const other = new Slot<object, string>();
  const object = { a: 1 };
  expect(slot.get(object)).toBeUndefined();
  expect(slot.set(object, 'first')).toBe('first');
  slot.set(object, 'second');
  expect(slot.get(object)).toBe('second');
  expect(other.get(object)).toBeUndefined();
  expect(slot.get({ ...object })).toBeUndefined();
  expect(slot.get(Object.assign({}, object))).toBeUndefined();
  expect(JSON.stringify(object)).toBe('{"a":1}');
});
