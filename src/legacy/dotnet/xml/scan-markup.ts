import type { TextSource } from '../text-source.ts';

/** The one error for every fault in an XML document. The old service reported no details either. */
export const malformed = new Error('invalid XML');

/** Matches a character that XML forbids. It does not match halves of surrogate pairs. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that XML forbids
export const forbiddenCharacter = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;

/** Whether XML forbids the character with this UTF-16 code. */
export function isForbiddenCharacter(code: number): boolean {
  return code < 0x20 ? code !== 0x09 && code !== 0x0a && code !== 0x0d : code >= 0xfffe;
}

/**
 * Maximum characters of one tag or reference, which is buffered until it is complete: the old service's limit
 * for a request.
 */
const maxMarkup = 4 << 20;

const entities = new Map(
  Object.entries({ lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }).map(([name, char]) => [
    name,
    char.charCodeAt(0),
  ]),
);

/**
 * The code point of the reference (`lt`, `#10`, `#x0A`) that is in `text` from `from` (after the `&`) to
 * `end` (its `;`). Control characters are allowed, as in the old reader.
 * @throws the error `malformed` for an unknown name, an invalid number, or one beyond U+10FFFF
 */
export function referenceCode(text: string, from: number, end: number): number {
  if (text.charCodeAt(from) !== 0x23) {
    const code = end - from > 4 ? undefined : entities.get(text.slice(from, end));
    if (code === undefined) throw malformed;
    return code;
  }
  const hexadecimal = text.charCodeAt(from + 1) === 0x78;
  const base = hexadecimal ? 16 : 10;
  let at = hexadecimal ? from + 2 : from + 1;
  if (at === end) throw malformed;
  let code = 0;
  for (; at < end; at++) {
    const value = digitValue(text.charCodeAt(at));
    code = code * base + value;
    if (value >= base || code > 0x10ffff) throw malformed;
  }
  return code;
}

function digitValue(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : 99;
}

/**
 * Whether the text continues with `expected`; false when it ends before. Waits for as many characters, and
 * reads none.
 */
export function* startsWith(source: TextSource, expected: string): Generator<void, boolean> {
  yield* source.has(expected.length - 1);
  return source.text.startsWith(expected, source.pos);
}

/**
 * Waits for more of an incomplete piece of markup, which begins at the source's position: until an eighth
 * more has arrived than before, or the text has ended. So markup that arrives byte by byte is not scanned
 * once for each byte. Reads nothing.
 * @returns how many of its characters had arrived before the wait
 * @throws the error `malformed` when nothing more comes, or more than 4 Mi characters have arrived
 */
export function* waitForMore(source: TextSource): Generator<void, number> {
  const seen = source.text.length - source.pos;
  if (seen > maxMarkup) throw malformed;
  if (!(yield* source.has(seen + (seen >> 3))) && source.text.length - source.pos === seen) throw malformed;
  return seen;
}

const [doubleQuote, apostrophe, greaterThan] = [0x22, 0x27, 0x3e];

/**
 * Reads a tag from its `<` to its `>`, if all of it has arrived and it contains no quotes.
 * @returns the text between the brackets; undefined otherwise, with nothing read
 */
export function plainTag(source: TextSource): string | undefined {
  const { text, pos } = source;
  const end = text.indexOf('>', pos);
  const written = text.slice(pos + 1, Math.max(end, pos + 1));
  if (end < 0 || written.includes('"') || written.includes("'")) return undefined;
  source.pos = end + 1;
  return written;
}

/**
 * Reads a tag from its `<` to its `>`, and returns the text between them. A `>` in an attribute's quotes does
 * not count.
 * @throws the error `malformed` when it does not end, or not within 4 Mi characters
 */
export function* untilBracket(source: TextSource): Generator<void, string> {
  let at = 1;
  let quoted = 0;
  for (;;) {
    const { text, pos } = source;
    for (; pos + at < text.length; at++) {
      const code = text.charCodeAt(pos + at);
      if (quoted !== 0) {
        if (code === quoted) quoted = 0;
      } else if (code === greaterThan) {
        source.pos += at + 1;
        return text.slice(pos + 1, pos + at);
      } else if (code === doubleQuote || code === apostrophe) {
        quoted = code;
      }
    }
    yield* waitForMore(source);
  }
}

/**
 * Reads past the next `end`, and passes the text before it to `piece`, in one or more calls.
 * @throws the error `malformed` when the text ends before it
 */
export function* readPast(
  source: TextSource,
  end: string,
  piece: (text: string) => void,
): Generator<void, void> {
  for (;;) {
    const at = source.text.indexOf(end, source.pos);
    const until = at < 0 ? Math.max(source.pos, source.text.length - end.length + 1) : at;
    if (until > source.pos) piece(source.text.slice(source.pos, until));
    source.pos = until;
    if (at >= 0) {
      source.pos += end.length;
      return;
    }
    if (!(yield* source.has(end.length - 1))) throw malformed;
  }
}
