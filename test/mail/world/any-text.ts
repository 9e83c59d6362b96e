import fc from 'fast-check';

const surrogates = 0x800;

/**
 * Any code point but halves of a pair, mostly low ones. The library's unit `binary` first indexes all of
 * them, which takes two seconds.
 */
const codePoint = fc
  .integer({ min: 0, max: 0x10ffff - surrogates })
  .map((n) => String.fromCodePoint(n < 0xd800 ? n : n + surrogates));

/** Any well-formed text at all. */
export const anyText = (constraints: { maxLength?: number } = {}): fc.Arbitrary<string> =>
  fc.string({ unit: codePoint, ...constraints });
