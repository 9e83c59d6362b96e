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

/** Whether this bracket opens a `url()` without quotes. In it, `/*` and quotes are characters like others. */
function isBareUrl(css: string, bracket: number): boolean {
  if (!/^url$/i.test(css.slice(Math.max(0, bracket - 3), bracket))) return false;
  return (
    !/[\w-]/.test(css[bracket - 4] ?? '') && !/^[ \t\n\r\f]*["']/.test(css.slice(bracket + 1, bracket + 50))
  );
}

/** The place of the bracket that closes it, or the end. */
function endOfBareUrl(css: string, bracket: number): number {
  let index = bracket + 1;
  while (index < css.length && css[index] !== ')') index += css[index] === '\\' ? 2 : 1;
  return index;
}

/**
 * Replaces the comments outside of quotes and bare URLs, in linear time. An unclosed one extends to the end.
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
    else if (character === '(' && isBareUrl(css, index)) index = endOfBareUrl(css, index);
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
 * Splits at each separator outside of quotes and brackets, in linear time. The pieces are not trimmed,
 * and empty ones are kept.
 * @param separator one character; a space stands for any white space
 */
export function splitOutside(css: string, separator: string): string[] {
  const pieces: string[] = [];
  let begin = 0;
  /** What closes the open brackets, from the outside in. */
  const open: string[] = [];
  let quote = '';
  for (let index = 0; index < css.length; index += 1) {
    const character = css[index]!;
    if (character === '\\') index += 1;
    else if (quote !== '') quote = character === quote || character === '\n' ? '' : quote;
    else if (character === '"' || character === "'") quote = character;
    else if (character === '(') open.push(')');
    else if (character === '[') open.push(']');
    else if (character === '{') open.push('}');
    else if (open.length > 0) {
      if (character === open.at(-1)) open.pop();
    } else if (separator === ' ' ? /[ \t\n\r\f]/.test(character) : character === separator) {
      pieces.push(css.slice(begin, index));
      begin = index + 1;
    }
  }
  pieces.push(css.slice(begin));
  return pieces;
}

/** Splits a value at white space outside of quotes and brackets. No word is empty. */
export const wordsOf = (value: string): string[] => splitOutside(value, ' ').filter((word) => word !== '');

/** Without the white space of CSS around it: to CSS, a no-break space is a letter. In linear time. */
export function trimmed(text: string): string {
  const isBlank = (index: number) => ' \t\n\r\f'.includes(text[index]!);
  let begin = 0;
  let end = text.length;
  while (begin < end && isBlank(begin)) begin += 1;
  while (end > begin && isBlank(end - 1)) end -= 1;
  return text.slice(begin, end);
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
 * @returns undefined for percentages, keywords, functions, any unit but px, pt, pc, in, cm, mm, em, rem, ex
 *   and ch, and numbers other than 0 without a unit
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
