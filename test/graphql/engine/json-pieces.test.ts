import fc from 'fast-check';
import { expect, test } from 'vitest';
import { jsonBytes, jsonPieces } from '../../../src/graphql/engine/json-pieces.ts';

const joined = (value: unknown) => [...jsonPieces(value)].join('');
const KiB = 1024;

test('the pieces of a value are its JSON', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(joined(value)).toBe(JSON.stringify(value));
      expect(jsonBytes(value)).toBe(Buffer.byteLength(JSON.stringify(value)));
    }),
    { seed: 14, numRuns: 300 },
  );
  const members = { a: undefined, b: [], c: {}, d: new Date(0), e: [undefined, null, [[]]], '"': '\u2028' };
  expect(joined(members)).toBe(JSON.stringify(members));
  expect(joined(Object.assign(Object.create(null), { a: 1 }))).toBe('{"a":1}');
  const named = { toJSON: { toJSON: null, d: new Date(0) }, length: 1 };
  expect(joined(named)).toBe(JSON.stringify(named));
});

test('a long text is cut between its characters, wherever a pair of surrogates falls', () => {
  for (let before = 0; before < 3; before += 1) {
    const text = `${'x'.repeat(64 * KiB - 2 + before)}😀${'\u0001"\n'.repeat(64 * KiB)}\\\ud800é😀\udc00`;
    expect(joined([text, { text }]) === JSON.stringify([text, { text }])).toBe(true);
    expect(jsonBytes(text)).toBe(Buffer.byteLength(JSON.stringify(text)));
  }
});

test('of sixteen million characters no piece has more than 128 Ki', () => {
  const body = 'y'.repeat(4 * KiB * KiB);
  const longest = Math.max(
    ...Array.from(jsonPieces({ nodes: [body, body, body, body] }), (piece) => piece.length),
  );
  expect(longest).toBeLessThanOrEqual(128 * KiB);
});

test('counting stops when it has passed what may be', () => {
  let asked = 0;
  const member = {
    get body() {
      asked += 1;
      return 'y'.repeat(100 * KiB);
    },
  };
  const bytes = jsonBytes(Array(1000).fill(member), 300 * KiB);
  expect([bytes > 300 * KiB, asked < 5]).toEqual([true, true]);
});
