/** Octets of UTF-8 of a name that is kept. */
const maxNameOctets = 200;

/** The same letters, however a file system spells them: macOS takes `ü` apart. */
export const exactName = (name: string): string => name.toWellFormed().normalize('NFC');

/**
 * What is left of a name once everything is gone that keeping a file's name may take away or change: so that
 * the name as it was sent and the name as it is kept have one key.
 */
export function fileNameKey(name: string): string {
  const plain = exactName(name)
    .split(/[\\/]/)
    .at(-1)!
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '')
    .replace(/["<>|:*?]/g, '_')
    .replace(/\s+/g, ' ')
    .replace(/^[ .]+/, '');
  const end = /[^ .](?=[ .]*$)/.exec(plain)?.index ?? -1;
  return shortenName(plain.slice(0, end + 1).replace(/^_(?=(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$))/i, ''));
}

/** The beginning of a name and its extension, at most 200 octets together. */
export function shortenName(name: string): string {
  if (Buffer.byteLength(name) <= maxNameOctets) return name;
  const extension = /\.[A-Za-z0-9]{1,10}$/.exec(name)?.[0] ?? '';
  let stem = '';
  let octets = extension.length;
  for (const character of name.slice(0, name.length - extension.length)) {
    octets += Buffer.byteLength(character);
    if (octets > maxNameOctets) break;
    stem += character;
  }
  return stem + extension;
}
