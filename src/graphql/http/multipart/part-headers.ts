import { sentFileName } from '../../../platform/http/sent-file-name.ts';

/** The headers of a part of a form. */
export interface PartHeaders {
  /** The form field's name. */
  readonly name: string;
  /**
   * See `sentFileName`. Undefined for an ordinary field; empty for a file without a name.
   */
  readonly fileName: string | undefined;
  /** The Content-Type as it was sent, with its parameters. Undefined when there is none. */
  readonly contentType: string | undefined;
  /** Whether the body is encoded, as base64 for example, by a Content-Transfer-Encoding. */
  readonly isEncoded: boolean;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });
const latin1 = new TextDecoder('windows-1252');
/** Does not look for the blanks at the end, which takes quadratic time. */
const headerLine = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):(.*)$/su;
/**
 * Bytes that no header has. Those above 0x7f may be any: names that were once read in a wrong charset have
 * controls of Latin-1, as `Ä` has when its two bytes were taken for two characters.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are meant.
const control = /[\0-\x08\x0a-\x1f\x7f]/;
const parameter = /;[ \t]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*=[ \t]*("(?:[^"\\]|\\.)*"|[^;\s"]*)/gsu;

/**
 * Parses a part's headers. Names are UTF-8, or Windows-1252 if they are not valid UTF-8.
 * @param bytes from the line break after the delimiter (included) up to the empty line (not included)
 * @returns undefined when the headers do not follow RFC 7578, for example when there is no name
 */
export function parsePartHeaders(bytes: Buffer): PartHeaders | undefined {
  const headers = new Map<string, string>();
  // The bytes begin with the delimiter's line break. A line that begins with a blank continues the one
  // before.
  for (const line of textOf(bytes)
    .replace(/\r\n[ \t]+/g, ' ')
    .split('\r\n')
    .slice(1)) {
    const match = headerLine.exec(line);
    if (match === null || control.test(line)) return undefined;
    headers.set(match[1]!.toLowerCase(), match[2]!.trim());
  }
  const disposition = headers.get('content-disposition') ?? '';
  if (!/^form-data[ \t]*(;|$)/i.test(disposition)) return undefined;
  const parameters = parametersOf(disposition);
  const name = parameters.get('name');
  if (name === undefined) return undefined;
  const fileName = parameters.get('filename');
  const transferEncoding = headers.get('content-transfer-encoding') ?? '';
  return {
    name: unescaped(name),
    fileName: sentFileName(parameters.get('filename*'), fileName && unescaped(fileName)),
    contentType: headers.get('content-type'),
    isEncoded: !/^(?:7bit|8bit|binary)?$/i.test(transferEncoding),
  };
}

/**
 * Names are UTF-8 (HTML standard). Old clients' other bytes are read as Windows-1252, their most likely
 * meaning.
 */
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

/** Only `\"` and `\\` are escapes, as some browsers send a Windows path unescaped. */
const unquoted = (value: string): string => value.slice(1, -1).replace(/\\(["\\])/g, '$1');

/** Browsers escape only these three (HTML standard, multipart/form-data encoding algorithm). */
const unescaped = (value: string): string =>
  value.replace(/%22/g, '"').replace(/%0D/gi, '\r').replace(/%0A/gi, '\n');
