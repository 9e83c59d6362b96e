import { malformed } from './scan-markup.ts';

/**
 * Parses a boolean as `XmlConvert.ToBoolean` does.
 * @throws the error `malformed`
 */
export function xmlBoolean(text: string): boolean {
  const word = /^[ \t\r\n]*(true|false|1|0)[ \t\r\n]*$/.exec(text)?.[1];
  if (word === 'true' || word === '1') return true;
  if (word === 'false' || word === '0') return false;
  throw malformed;
}

/**
 * Parses an `int` as `XmlConvert.ToInt32` does.
 * @throws the error `malformed`
 */
export function xmlInteger(text: string): number {
  const digits = /^[ \t\r\n]*([+-]?[0-9]{1,1024})[ \t\r\n]*$/.exec(text)?.[1];
  const value = Number(digits);
  if (digits === undefined || value < -2147483648 || value > 2147483647) throw malformed;
  return value + 0;
}
