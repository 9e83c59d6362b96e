import { malformed } from './scan-markup.ts';

/**
 * Parses a boolean as `XmlConvert.ToBoolean` does: `true`, `1`, `false` or `0`, with white space around it.
 * @throws the error `malformed` for any other text
 */
export function xmlBoolean(text: string): boolean {
  const word = /^[ \t\r\n]*(true|false|1|0)[ \t\r\n]*$/.exec(text)?.[1];
  if (word === 'true' || word === '1') return true;
  if (word === 'false' || word === '0') return false;
  throw malformed;
}

/**
 * Parses an `int` of 32 bits as `XmlConvert.ToInt32` does: decimal digits with an optional sign and white
 * space around them.
 * @throws the error `malformed` for any other text
 */
export function xmlInteger(text: string): number {
  const digits = /^[ \t\r\n]*([+-]?[0-9]{1,1024})[ \t\r\n]*$/.exec(text)?.[1];
  const value = Number(digits);
  if (digits === undefined || value < -2147483648 || value > 2147483647) throw malformed;
  return value + 0;
}
