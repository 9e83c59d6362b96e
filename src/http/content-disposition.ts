import { Buffer, isUtf8 } from 'node:buffer';
import { withoutEncodedWords } from '../platform/http/encoded-words.ts';

/**
 * The value of a Content-Disposition header by RFC 6266: with an ASCII name for old clients, and the real
 * name as in RFC 8187.
 */
export function dispositionOf(fileName: string, kind: 'attachment' | 'inline' = 'attachment'): string {
  const ascii = fileName.replace(/[^\x20-\x7e]|["\\%]/g, '_');
  const encoded = encodeURIComponent(fileName).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `${kind}; filename="${ascii}"; filename*=UTF-8''${encoded}`;
}

/** Maximum length of a header that is parsed. */
const maxCharacters = 8192;
const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const parameter = new RegExp(`;[ \\t]*(${token})[ \\t]*=[ \\t]*(?:(${token})|"((?:[^"\\\\]|\\\\.)*)")`, 'g');

/**
 * The file name in a request's Content-Disposition: decoded from `filename*` if that is well formed, else
 * from `filename`, with encoded words decoded. It is not cleaned and may contain a path. Undefined if there
 * is none, or the header is longer than 8,192 characters.
 * @param header as Node decodes it, in Latin-1
 */
export function fileNameOf(header: string | undefined): string | undefined {
  if (header === undefined || header.length > maxCharacters) return undefined;
  const found = new Map<string, string>();
  for (const [, name, bare, quoted] of header.matchAll(parameter)) {
    const key = name!.toLowerCase();
    if (!found.has(key)) found.set(key, bare ?? quoted!.replace(/\\(.)/g, '$1'));
  }
  const extended = found.get('filename*');
  const plain = found.get('filename');
  return (
    (extended && decodeExtended(extended)) ??
    (plain === undefined ? undefined : withoutEncodedWords(utf8Of(plain)))
  );
}

/** RFC 8187 §3.2.1: charset'language'percent-encoded. */
function decodeExtended(value: string): string | undefined {
  const match = /^(utf-8|iso-8859-1)'[^']*'((?:[^%']|%[0-9a-f]{2})*)$/i.exec(value);
  if (match === null) return undefined;
  const bytes = Buffer.from(
    match[2]!.replace(/%(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  );
  if (!/^utf-8$/i.test(match[1]!)) return bytes.toString('latin1');
  return isUtf8(bytes) ? bytes.toString('utf8') : undefined;
}

/** Node decodes headers as Latin-1. Clients that send other bytes than ASCII mean UTF-8, as browsers do. */
function utf8Of(text: string): string {
  const decoded = Buffer.from(text, 'latin1').toString('utf8');
  return decoded.includes('\ufffd') ? text : decoded;
}
