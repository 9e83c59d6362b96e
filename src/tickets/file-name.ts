import { isInvisible, withoutMisleading } from '../content/dom/hidden-characters.ts';
import { parseMediaType, unknownType, writeMediaType } from '../content/media-type.ts';
import { shortenName } from '../mail/compose/file-name.ts';

/**
 * A name that can be shown, sent and saved anywhere: no folder, no control or change of direction, no
 * reserved device name, at most 200 bytes with its extension kept. Joiners stay.
 */
export function cleanFileName(name: string, index: number): string {
  // What follows is quadratic in runs of dots, and 200 bytes are kept anyway: of a name of megabytes the two
  // ends are looked at.
  const short = name.length > 4096 ? name.slice(0, 4000) + name.slice(-96) : name;
  const last = short.toWellFormed().normalize('NFC').split(/[\\/]/).at(-1)!;
  const visible = withoutMisleading(last)
    .replace(/["<>|:*?]/g, '_')
    .trim()
    .replace(/^\.+|[. ]+$/g, '');
  if (isInvisible(visible)) return `attachment-${index + 1}`;
  return shortenName(/^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i.test(visible) ? `_${visible}` : visible);
}

/** The sender's media type with those of its parameters that are well formed, or that of unknown bytes. */
export function cleanContentType(type: string): string {
  const parsed = parseMediaType(type);
  return parsed === undefined ? unknownType : writeMediaType(parsed);
}
