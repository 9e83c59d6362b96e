/** What a part says of itself. */
export interface PartHeaders {
  readonly name: string;
  /** Undefined: the part is a field. Empty: a file that its sender gave no name. */
  readonly fileName: string | undefined;
  /** As written, with its parameters; undefined unless given. */
  readonly contentType: string | undefined;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });
const latin1 = new TextDecoder('windows-1252');
const headerLine = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/su;
const parameter = /;[ \t]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*=[ \t]*("(?:[^"\\]|\\.)*"|[^;\s"]*)/gsu;

/** Parses the lines above a part's body. @returns undefined when they are not what RFC 7578 asks for */
export function parsePartHeaders(bytes: Buffer): PartHeaders | undefined {
  const headers = new Map<string, string>();
  // The line break of the delimiter stands before the first line; a line that begins with a blank goes on
  // with the one before.
  for (const line of textOf(bytes)
    .replace(/\r\n[ \t]+/g, ' ')
    .split('\r\n')
    .slice(1)) {
    const match = headerLine.exec(line);
    if (match === null || /(?!\t)\p{Cc}/u.test(line)) return undefined;
    headers.set(match[1]!.toLowerCase(), match[2]!);
  }
  const disposition = headers.get('content-disposition') ?? '';
  if (!/^form-data[ \t]*(;|$)/i.test(disposition)) return undefined;
  const parameters = parametersOf(disposition);
  const name = parameters.get('name');
  if (name === undefined) return undefined;
  const extended = extendedValue(parameters.get('filename*'));
  return {
    name: unescaped(name),
    fileName: extended ?? (parameters.has('filename') ? unescaped(parameters.get('filename')!) : undefined),
    contentType: headers.get('content-type'),
  };
}

/** Names are UTF-8 (HTML standard); an old client's are read as what it most likely meant. */
function textOf(bytes: Buffer): string {
  try {
    return utf8.decode(bytes);
  } catch {
    return latin1.decode(bytes);
  }
}

function parametersOf(header: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const [, name, value] of header.matchAll(parameter)) {
    const key = name!.toLowerCase();
    if (!found.has(key)) found.set(key, value!.startsWith('"') ? unquoted(value!) : value!);
  }
  return found;
}

/** Only `\"` and `\\` are escapes: some browsers put a Windows path between the quotation marks as it is. */
const unquoted = (value: string): string => value.slice(1, -1).replace(/\\(["\\])/g, '$1');

/**
 * A browser writes these three, and no others, as escapes (HTML standard, multipart/form-data encoding
 * algorithm).
 */
const unescaped = (value: string): string =>
  value.replace(/%22/g, '"').replace(/%0D/gi, '\r').replace(/%0A/gi, '\n');

/** RFC 8187: `UTF-8'en'na%C3%AFve.txt`. @returns undefined for what is none, so that `filename` counts */
function extendedValue(value: string | undefined): string | undefined {
  const match = /^utf-8'[^']*'(.*)$/is.exec(value ?? '');
  try {
    return match === null ? undefined : decodeURIComponent(match[1]!);
  } catch {
    return undefined;
  }
}
