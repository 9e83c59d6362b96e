import { isWhiteSpace } from '../character-classes.ts';
/* Parses numbers as Json.NET 12 does: hexadecimal and octal too, but not `12.0` as an integer. */

/** A parsed number, or undefined if the text is not a valid one. */
export type Parsed = { readonly token: 'Integer' | 'Float'; readonly value: number } | undefined;

const decimal = /^-?[0-9]+$/;
const floating = /^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/;
/** Json.NET rejects longer integers. */
const longestInteger = 380;

/** A leading zero makes a number octal, or hexadecimal with an x. */
function isOtherBase(text: string): boolean {
  return text.length > 1 && text[0] === '0' && text[1] !== '.' && text[1] !== 'e' && text[1] !== 'E';
}

function parseOtherBase(text: string, bits: 32 | 64): number | undefined {
  const hexadecimal = /^0[xX]([0-9a-fA-F]+)$/.exec(text);
  if (!hexadecimal && !/^0[0-7]+$/.test(text)) return undefined;
  const value = BigInt(hexadecimal ? text : `0o${text.slice(1)}`);
  // All bits may be used. The first one is the sign.
  return value >= 1n << BigInt(bits) ? undefined : Number(BigInt.asIntN(bits, value));
}

function parseFloating(text: string): number | undefined {
  if (!floating.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/**
 * Parses an unquoted number whose target type is not known, from its text without white space. Hexadecimal
 * (`0x…`) and octal ones (`0…`) are 64-bit integers, of which the first bit is the sign. Integers may have
 * 380 characters, and lose precision beyond 2^53.
 */
export function parseNumber(text: string): Parsed {
  if (isOtherBase(text)) {
    const value = parseOtherBase(text, 64);
    return value === undefined ? undefined : { token: 'Integer', value };
  }
  if (decimal.test(text)) {
    return text.length > longestInteger ? undefined : { token: 'Integer', value: Number(text) };
  }
  const value = parseFloating(text);
  return value === undefined ? undefined : { token: 'Float', value };
}

/**
 * Parses an unquoted number that must be an `int` of 32 bits, in decimal, hexadecimal or octal. Returns
 * undefined for anything else: an invalid number, one beyond 32 bits, `12.0`, `1e3`.
 */
export function parseInt32(text: string): number | undefined {
  if (isOtherBase(text)) return parseOtherBase(text, 32);
  if (!decimal.test(text) || text.length > 1024) return undefined;
  return asInt32(Number(text));
}

/**
 * Whether Json.NET accepts this unquoted number where a string is expected. The resulting string is the
 * number exactly as it was written.
 */
export function isNumberText(text: string): boolean {
  return (isOtherBase(text) ? parseOtherBase(text, 64) : parseFloating(text)) !== undefined;
}

/**
 * Parses a quoted number as `int.TryParse` does: allows surrounding white space, a sign and leading zeros.
 * @returns undefined for any other text, and for a number beyond 32 bits
 */
export function parseInt32Text(text: string): number | undefined {
  const match = /^[\t-\r ]*([+-]?[0-9]{1,1024})[\t-\r ]*\0*$/.exec(text);
  return match ? asInt32(Number(match[1])) : undefined;
}

/**
 * Parses a quoted `true` or `false` as `bool.TryParse` does: in any case, with white space around it;
 * undefined for any other text.
 */
export function parseBooleanText(text: string): boolean | undefined {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start += 1;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1;
  const word = /^(?:true|false)$/i.exec(text.slice(start, end))?.[0];
  return word === undefined ? undefined : word.toLowerCase() === 'true';
}

const isBlank = (code: number): boolean => code === 0 || isWhiteSpace(code);

function asInt32(value: number): number | undefined {
  // Adding 0 turns -0 into 0.
  return value >= -2147483648 && value <= 2147483647 ? value + 0 : undefined;
}
