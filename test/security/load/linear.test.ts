import { expect, it } from 'vitest';
import { parseBooleanText } from '../../../src/legacy/dotnet/json/parse-number.ts';
import { xmlBoolean } from '../../../src/legacy/dotnet/xml/parse-value.ts';
import { parseAddress } from '../../../src/mail/address.ts';

/**
 * A million blanks in the middle: quadratic work on them would take a quarter of an hour, and the test's
 * time-out ends it.
 */
const text = `x${' '.repeat(1_000_000)}x`;

it('an address, a boolean and a number of a million blanks are refused without being pored over', () => {
  expect(parseAddress(text).ok).toBe(false);
  expect(parseBooleanText(text)).toBeUndefined();
  expect(() => xmlBoolean(text)).toThrow();
});
