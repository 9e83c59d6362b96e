import { malformed } from './markup.ts';

/** `XmlConvert.ToBoolean` */
export function xmlBoolean(text: string): boolean {
  const word = /^[ \t\r\n]*(true|false|1|0)[ \t\r\n]*$/.exec(text)?.[1];
  if (word === 'true' || word === '1') return true;
  if (word === 'false' || word === '0') return false;
  throw malformed;
}

/** `XmlConvert.ToInt32` */
export function xmlInteger(text: string): number {
  const digits = /^[ \t\r\n]*([+-]?[0-9]{1,1024})[ \t\r\n]*$/.exec(text)?.[1];
  const value = Number(digits);
  if (digits === undefined || value < -2147483648 || value > 2147483647) throw malformed;
  return value + 0;
}
