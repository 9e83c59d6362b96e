/** A declaration. Property and value are trimmed, unescaped and in lower case. */
export interface Declaration {
  readonly property: string;
  /** Without `!important`. */
  readonly value: string;
  readonly important: boolean;
}

/**
 * Decodes escapes: `\64 isplay` is `display`. The code 0, and codes that Unicode does not have, become
 * U+FFFD.
 */
export const unescapeCss = (text: string): string =>
  text.includes('\\')
    ? text.replace(/\\(?:([0-9a-f]{1,6})[ \t\n\r\f]?|([^\n]))/gi, (_, hex?: string, character?: string) => {
        const code = hex === undefined ? Number.NaN : Number.parseInt(hex, 16);
        if (Number.isNaN(code)) return character ?? '';
        return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : '\ufffd';
      })
    : text;

/**
 * Replaces the comments outside of quotes, in linear time. An unclosed one extends to the end.
 * @param left returns what a comment leaves between these two characters; one is empty at the start or end
 */
export function withoutComments(css: string, left: (before: string, after: string) => string): string {
  if (!css.includes('/*')) return css;
  let result = '';
  let begin = 0;
  let before = '';
  let quote = '';
  for (let index = 0; index < css.length; index += 1) {
    const character = css[index]!;
    if (character === '\\') index += 1;
    else if (quote !== '') quote = character === quote || character === '\n' ? '' : quote;
    else if (character === '"' || character === "'") quote = character;
    else if (character === '/' && css[index + 1] === '*') {
      const close = css.indexOf('*/', index + 2);
      // Of comments in a row, what stands before the first one.
      if (index > begin) before = css[index - 1]!;
      result += css.slice(begin, index);
      begin = close === -1 ? css.length : close + 2;
      result += left(before, css[begin] ?? '');
      index = begin - 1;
    }
  }
  return result + css.slice(begin);
}

/**
 * Splits at each separator outside of quotes and round brackets, in linear time. The pieces are not trimmed,
 * and empty ones are kept.
 * @param separator one character; a space stands for any white space
 */
export function splitOutside(css: string, separator: string): string[] {
  const pieces: string[] = [];
  let begin = 0;
  let depth = 0;
  let quote = '';
  for (let index = 0; index < css.length; index += 1) {
    const character = css[index]!;
    if (character === '\\') index += 1;
    else if (quote !== '') quote = character === quote || character === '\n' ? '' : quote;
    else if (character === '"' || character === "'") quote = character;
    else if (character === '(') depth += 1;
    else if (character === ')') depth = Math.max(0, depth - 1);
    else if (depth === 0 && (separator === ' ' ? /\s/.test(character) : character === separator)) {
      pieces.push(css.slice(begin, index));
      begin = index + 1;
    }
  }
  pieces.push(css.slice(begin));
  return pieces;
}

/** Splits a value at white space outside of quotes and round brackets. No word is empty. */
export const wordsOf = (value: string): string[] => splitOutside(value, ' ').filter((word) => word !== '');

/** White space means nothing in declarations, except that it parts words, as a comment does. */
const aBlank = () => ' ';

const known = new Map<string, readonly Declaration[]>();
/** Cached styles: the paragraphs of a mail repeat the same few. */
const maxKnown = 500;

/**
 * Parses a style attribute or the body of a rule, in linear time. Repeated declarations are kept, in the
 * order of the source. Invalid ones are left out: without a value, with one that ends with an escaped blank,
 * or with a property that is not 1 to 40 letters and hyphens. Nothing reads custom properties, so it does not
 * matter which of these are left out.
 */
export function parseDeclarations(css: string): readonly Declaration[] {
  const found = known.get(css);
  if (found !== undefined) return found;
  const declarations = splitOutside(withoutComments(css, aBlank), ';').flatMap(parseDeclaration);
  if (css.length < 500) {
    if (known.size >= maxKnown) known.clear();
    known.set(css, declarations);
  }
  return declarations;
}

function parseDeclaration(text: string): Declaration[] {
  const colon = text.indexOf(':');
  if (colon === -1) return [];
  const property = unescapeCss(text.slice(0, colon).trim()).toLowerCase();
  const written = unescapeCss(text.slice(colon + 1).trim());
  // `none\9`, which is valid in old browsers alone: in others, the word ends with a tab.
  if (written !== written.trim()) return [];
  const bang = written.lastIndexOf('!');
  const important =
    bang !== -1 &&
    written
      .slice(bang + 1)
      .trim()
      .toLowerCase() === 'important';
  const value = (important ? written.slice(0, bang).trim() : written).toLowerCase();
  return /^[a-z-]{1,40}$/.test(property) && value !== '' ? [{ property, value, important }] : [];
}

const pixels: ReadonlyMap<string, number> = new Map(
  Object.entries({
    px: 1,
    pt: 4 / 3,
    pc: 16,
    in: 96,
    cm: 96 / 2.54,
    mm: 96 / 25.4,
    em: 16,
    rem: 16,
    ex: 8,
    ch: 8,
  }),
);

/**
 * Converts a length to CSS pixels. A `rem` is always 16 pixels; `ex` and `ch` are 8.
 * @param value in lower case, without white space
 * @param em pixels of one `em`
 * @returns undefined for percentages, keywords, functions, viewport units, and numbers other than 0 without
 *   a unit
 */
export function pixelsOf(value: string, em = 16): number | undefined {
  const parts = /^([+-]?(?:\d{1,9}(?:\.\d{0,9})?|\.\d{1,9})(?:e[+-]?\d)?)([a-z]*)$/.exec(value);
  if (parts === null) return undefined;
  const size = Number(parts[1]);
  const unit = parts[2]!;
  if (unit === '') return size === 0 ? 0 : undefined;
  if (unit === 'em') return size * em;
  const factor = pixels.get(unit);
  return factor === undefined ? undefined : size * factor;
}
