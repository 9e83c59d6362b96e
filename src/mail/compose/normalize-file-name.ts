/** Longest file name, in octets of UTF-8. */
const maxNameOctets = 200;

/** Normalizes a name to NFC, because macOS sends `ü` as two characters. Lone surrogates become U+FFFD. */
export const normalizedName = (name: string): string => name.toWellFormed().normalize('NFC');

/**
 * Normalizes a name for comparison. A name as sent and the same name as stored give the same key: it drops
 * everything that storing may remove or change. That need not hold for a name of about 200 octets or more,
 * which both shorten. Case stays. May be empty. Used to match `cid:` references.
 */
export function fileNameKey(name: string): string {
  const plain = normalizedName(name)
    .split(/[\\/]/)
    .at(-1)!
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '')
    .replace(/["<>|:*?]/g, '_')
    .replace(/\s+/g, ' ')
    .replace(/^[ .]+/, '');
  const end = /[^ .](?=[ .]*$)/.exec(plain)?.index ?? -1;
  return shortenName(plain.slice(0, end + 1).replace(/^_(?=(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$))/i, ''));
}

/**
 * The beginning of a name and its extension, at most 200 octets of UTF-8 together. A shorter name stays as it
 * is. Only up to ten ASCII letters and digits after the last dot count as an extension.
 */
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
