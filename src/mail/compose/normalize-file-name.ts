import { createHash } from 'node:crypto';

/** Longest file name, in octets of UTF-8. */
const maxNameOctets = 200;
/** Longest extension that is kept, with its dot, in octets. */
const maxExtensionOctets = 64;

/** Unicode's Stream-Safe Text Format has at most 30 combining marks in a row; no language has as many. */
const tooManyMarks = /\p{M}{65}/u;

/**
 * Normalizes a name to NFC, because macOS sends `ü` as two characters. Lone surrogates become U+FFFD. A name
 * with more than 64 combining marks in a row is not normalized: the time to sort these grows with the square
 * of their number, and one with 200,000 of them stopped the process for a minute.
 */
export function normalizedName(name: string): string {
  const wellFormed = name.toWellFormed();
  return tooManyMarks.test(wellFormed) ? wellFormed : wellFormed.normalize('NFC');
}

/**
 * Normalizes a name for comparison. A name as sent and the same name as stored give the same key: it drops
 * everything that storing may remove or change, and of a name that storing shortens, all but its mark and its
 * extension. Case stays, except in what only the mark tells apart. May be empty. Used to match `cid:`
 * references.
 */
export function fileNameKey(name: string): string {
  const plain = plainName(name);
  if (Buffer.byteLength(plain) > maxNameOctets) return markOf(plain) + extensionOf(plain);
  // A name that is much shorter was not shortened, and only looks like it.
  if (Buffer.byteLength(plain) < maxNameOctets / 2) return plain;
  return /~[0-9a-f]{8}(?:\.[^.]*)?$/.exec(plain)?.[0] ?? plain;
}

/** Takes linear time: a name may have been sent with a million dots. */
function plainName(name: string): string {
  const shown = normalizedName(name)
    .split(/[\\/]/)
    .at(-1)!
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '')
    .replace(/["<>|:*?]/g, '_')
    .replace(/\s+/g, ' ');
  const isEdge = (at: number) => shown[at] === ' ' || shown[at] === '.';
  let from = 0;
  let to = shown.length;
  while (from < to && isEdge(from)) from += 1;
  while (to > from && isEdge(to - 1)) to -= 1;
  return shown.slice(from, to).replace(/^_(?=(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$))/i, '');
}

/** Tells names apart that differ in what was cut off, in more than their case. */
const markOf = (plain: string): string =>
  `~${createHash('sha256').update(plain.toLowerCase()).digest('hex').slice(0, 8)}`;

/** With its dot; empty when there is none, or something else follows the last dot. */
function extensionOf(name: string): string {
  const extension = /\.[\p{L}\p{M}\p{N}_+-]{1,32}$/u.exec(name)?.[0] ?? '';
  return Buffer.byteLength(extension) > maxExtensionOctets ? '' : extension;
}

/**
 * The beginning of a name, a mark, and the name's extension, at most 200 octets of UTF-8 together. The mark
 * is `~` and eight hexadecimal digits, which follow from the whole name: names that differ behind the cut
 * stay different. No character is cut, nor one that consists of several, as a flag does. A shorter name stays
 * as it is.
 * @param whole the name as it was sent, of which `name` may be a part
 */
export function shortenName(name: string, whole = name): string {
  if (Buffer.byteLength(name) <= maxNameOctets) return name;
  const extension = extensionOf(name);
  const end = markOf(plainName(whole)) + extension;
  const stem = name.slice(0, name.length - extension.length);
  return beginningOf(stem, maxNameOctets - Buffer.byteLength(end)) + end;
}

const characters = new Intl.Segmenter('und', { granularity: 'grapheme' });

function beginningOf(text: string, octets: number): string {
  const whole = fitting(
    Iterator.from(characters.segment(text)).map(({ segment }) => segment),
    octets,
  );
  // One with a hundred accents is longer than a name may be.
  return whole === '' ? fitting(text, octets) : whole;
}

function fitting(pieces: Iterable<string>, octets: number): string {
  let beginning = '';
  let left = octets;
  for (const piece of pieces) {
    left -= Buffer.byteLength(piece);
    if (left < 0) break;
    beginning += piece;
  }
  return beginning;
}
