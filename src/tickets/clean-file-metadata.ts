import { isInvisible, withoutMisleading } from '../content/dom/misleading-characters.ts';
import { parseMediaType, unknownType, writeMediaType } from '../content/media-type.ts';
import { normalizedName, shortenName } from '../mail/compose/normalize-file-name.ts';

/**
 * Makes a file name safe to show, send and save anywhere, in NFC. Folders, control and bidirectional
 * characters, and blanks and dots at either end are removed. Each of `"<>|:*?` becomes `_`, and a reserved
 * device name is prefixed with `_`. At most 200 bytes of UTF-8 remain, with the extension, and a mark that
 * tells names apart which differ in what was cut off (`shortenName`). Zero-width joiners stay.
 * @param index of the attachment, from 0. When nothing visible remains, the name is `attachment-` and `index`
 *   + 1
 */
export function cleanFileName(name: string, index: number): string {
  // The expressions below are quadratic in runs of dots. Only 200 bytes remain, so a long name is cut to its
  // two ends first, between two characters.
  const short =
    name.length > 4096
      ? name.slice(0, 4000).replace(/[\ud800-\udbff]$/, '') + name.slice(-96).replace(/^[\udc00-\udfff]/, '')
      : name;
  const last = normalizedName(short).split(/[\\/]/).at(-1)!;
  const visible = withoutMisleading(last)
    .replace(/["<>|:*?]/g, '_')
    // Looked for from their first only: from each of them, blanks in the middle would take quadratic time.
    .replace(/^[.\s]+|(?<![.\s])[.\s]+$/g, '');
  if (isInvisible(visible)) return `attachment-${index + 1}`;
  const isDevice = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i.test(visible);
  return shortenName(isDevice ? `_${visible}` : visible, name);
}

/**
 * The sender's media type with its well-formed parameters, except `name`, `filename` and `boundary`, in at
 * most 255 characters; `application/octet-stream` if it is malformed.
 */
export function cleanContentType(type: string): string {
  const parsed = parseMediaType(type);
  return parsed === undefined ? unknownType : writeMediaType(parsed);
}
