import { isLetterOrDigit } from '../character-classes.ts';

/** The UTF-16 code of a character (the first one of a text). */
export const code = (char: string) => char.charCodeAt(0);
/** Codes of `"`, `'`, `,`, `/` and `-`. */
export const [quote, apostrophe, comma, slash, minus] = [
  code('"'),
  code("'"),
  code(','),
  code('/'),
  code('-'),
];
/** Codes of `[` and `]`. */
export const [openBracket, closeBracket] = [code('['), code(']')];
/** Codes of `}` and `)`, which end an object and a constructor. */
export const [closeBrace, closeParen] = [code('}'), code(')')];

/** Whether the character with this code may begin a number: a digit, a minus or a dot. */
export function isNumberStart(next: number): boolean {
  return (next >= 0x30 && next <= 0x39) || next === minus || next === 0x2e;
}

/**
 * Whether Json.NET takes the character with this code as the first one of an unquoted name: a letter, `_`,
 * `$`, or even a digit.
 */
export function isNameStart(next: number): boolean {
  return isLetterOrDigit(next) || next === code('_') || next === code('$');
}

/** The token for a closing character, by its code: `}`, `]` or `)`; undefined for any other. */
export function endToken(next: number): 'EndObject' | 'EndArray' | 'EndConstructor' | undefined {
  if (next === closeBrace) return 'EndObject';
  if (next === closeBracket) return 'EndArray';
  return next === closeParen ? 'EndConstructor' : undefined;
}
