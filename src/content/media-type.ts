/** A valid media type, which can be written to any header. */
export interface ParsedMediaType {
  /** `text/plain`, in lower case. */
  readonly essence: string;
  /** In order of appearance, each name once, with names in lower case and values without quotes. */
  readonly parameters: readonly (readonly [name: string, value: string])[];
}

/** RFC 6838 §4.2 */
const essencePattern = /^[a-z0-9][a-z0-9!#$&^_.+-]{0,126}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}$/;
const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const parameterPattern = new RegExp(
  `^(${token})=(?:(${token})|"((?:[\\x20-\\x21\\x23-\\x5b\\x5d-\\x7e]|\\\\[\\x20-\\x7e])*)")$`,
);
/** Input past this length is ignored. Parameters that would exceed `maxWritten` are dropped. */
const maxCharacters = 1000;
const maxWritten = 255;
/** Parameters that would override the file name or the structure of a mail. */
const notOurs = /^(?:name|filename|boundary)(?:\*|$)|\*/;

/**
 * Parses a Content-Type. Dropped are malformed and repeated parameters (the first one stays), those that a
 * mail sets itself (`name`, `filename` and `boundary`), those with a `*` in their names, and what follows the
 * first 1000 characters.
 * @returns undefined when the text does not begin with a valid type and subtype
 */
export function parseMediaType(text: string): ParsedMediaType | undefined {
  const first = text.slice(0, maxCharacters).split(';', 1)[0]!;
  const essence = first.trim().toLowerCase();
  if (!essencePattern.test(essence)) return undefined;
  const parameters = new Map<string, string>();
  const pieces = text.slice(first.length, maxCharacters).matchAll(/;((?:[^;"]|"(?:[^"\\]|\\.)*")*)/g);
  for (const [, piece] of pieces) {
    const match = parameterPattern.exec(piece!.trim());
    if (match === null) continue;
    const name = match[1]!.toLowerCase();
    if (notOurs.test(name) || parameters.has(name)) continue;
    parameters.set(name, match[2] ?? match[3]!.replace(/\\(.)/g, '$1'));
  }
  return { essence, parameters: [...parameters] };
}

/**
 * Serializes a media type for a header, on one line of at most 255 characters. Parameters that do not fit
 * are left out.
 */
export function writeMediaType({ essence, parameters }: ParsedMediaType): string {
  const bare = new RegExp(`^${token}$`);
  return parameters.reduce((written, [name, value]) => {
    const next = `${written}; ${name}=${bare.test(value) ? value : `"${value.replace(/["\\]/g, '\\$&')}"`}`;
    return next.length > maxWritten ? written : next;
  }, essence);
}

/** The media type of arbitrary bytes, for files whose type is not known. */
export const unknownType = 'application/octet-stream';
