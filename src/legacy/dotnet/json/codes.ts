import { isLetterOrDigit } from '../text-source.ts';

/** Character codes that the JSON reader looks for. */
export const code = (char: string) => char.charCodeAt(0);
export const [quote, apostrophe, comma, slash, minus] = [
  code('"'),
  code("'"),
  code(','),
  code('/'),
  code('-'),
];
export const [openBracket, closeBracket] = [code('['), code(']')];
export const [closeBrace, closeParen] = [code('}'), code(')')];

export function isNumberStart(next: number): boolean {
  return (next >= 0x30 && next <= 0x39) || next === minus || next === 0x2e;
}

export function isNameStart(next: number): boolean {
  return isLetterOrDigit(next) || next === code('_') || next === code('$');
}

export function endToken(next: number): 'EndObject' | 'EndArray' | 'EndConstructor' | undefined {
  if (next === closeBrace) return 'EndObject';
  if (next === closeBracket) return 'EndArray';
  return next === closeParen ? 'EndConstructor' : undefined;
}
