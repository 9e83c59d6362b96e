import type { TextSource } from './text-source.ts';

/** Whatever is wrong with a document; the old service said no more of it to anybody. */
export const malformed = new Error('not the XML that is wanted here');

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that XML does not have
export const noCharacter = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;
/** A start tag longer than this many characters is none of ours. */
const maxTag = 64 * 1024;

const entities: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

/** What stands between `&` and `;`. Control characters may be written so, as the old reader let them. */
export function reference(name: string): string {
  if (name[0] !== '#') {
    if (Object.hasOwn(entities, name)) return entities[name]!;
    throw malformed;
  }
  const [base, digits] = name[1] === 'x' ? [16, name.slice(2)] : [10, name.slice(1)];
  let code = digits === '' ? Number.NaN : 0;
  for (let i = 0; i < digits.length && code <= 0x10ffff; i++) {
    const value = digitValue(digits.charCodeAt(i));
    code = value < base ? code * base + value : Number.NaN;
  }
  if (!(code <= 0x10ffff)) throw malformed;
  return String.fromCodePoint(code);
}

function digitValue(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : 99;
}

/** Whether `expected` stands where the source is. */
export function* startsWith(source: TextSource, expected: string): Generator<void, boolean> {
  yield* source.has(expected.length - 1);
  return source.text.startsWith(expected, source.pos);
}

/** From behind `<` to its `>`, which may stand in an attribute's quotes before. */
export function* untilBracket(source: TextSource): Generator<void, string> {
  let at = 1;
  let quoted = '';
  for (;;) {
    if (at > maxTag || !(yield* source.has(at))) throw malformed;
    const char = source.text[source.pos + at]!;
    if (quoted !== '') {
      if (char === quoted) quoted = '';
    } else if (char === '"' || char === "'") {
      quoted = char;
    } else if (char === '>') {
      break;
    }
    at++;
  }
  const text = source.text.slice(source.pos + 1, source.pos + at);
  source.pos += at + 1;
  return text;
}

/** Reads up to `end` and past it. */
export function* through(
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
