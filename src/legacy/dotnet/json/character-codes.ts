import { isLetterOrDigit } from '../character-classes.ts';

/** The UTF-16 code of a character. */
export const code = (char: string) => char.charCodeAt(0);
/** Codes of the characters that the readers compare with. */
export const [quote, apostrophe, comma, slash, minus] = [
  code('"'),
  code("'"),
  code(','),
  code('/'),
  code('-'),
];
/** Codes of the brackets that begin and end a list. */
export const [openBracket, closeBracket] = [code('['), code(']')];
/** Codes of the brackets that end an object and a constructor. */
export const [closeBrace, closeParen] = [code('}'), code(')')];

/** Whether a number may begin with this character: a digit, a minus or a dot. */
export function isNumberStart(next: number): boolean {
  return (next >= 0x30 && next <= 0x39) || next === minus || next === 0x2e;
}

/** Whether Json.NET takes this as the first character of an unquoted name. Digits count too. */
export function isNameStart(next: number): boolean {
  return isLetterOrDigit(next) || next === code('_') || next === code('$');
}

/** The token that this closing character ends; undefined for others. */
export function endToken(next: number): 'EndObject' | 'EndArray' | 'EndConstructor' | undefined {
  if (next === closeBrace) return 'EndObject';
  if (next === closeBracket) return 'EndArray';
  return next === closeParen ? 'EndConstructor' : undefined;
}
