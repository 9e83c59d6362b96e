import { Buffer } from 'node:buffer';
import { sentFileName } from '../platform/http/sent-file-name.ts';

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
 * The file name in a request's Content-Disposition, by `sentFileName`. It is not cleaned and may contain a
 * path. Undefined if there is none, or the header is longer than 8,192 characters.
 * @param header as Node decodes it, in Latin-1
 */
export function fileNameOf(header: string | undefined): string | undefined {
  if (header === undefined || header.length > maxCharacters) return undefined;
  const found = new Map<string, string>();
  for (const [, name, bare, quoted] of header.matchAll(parameter)) {
    const key = name!.toLowerCase();
    if (!found.has(key)) found.set(key, bare ?? quoted!.replace(/\\(.)/g, '$1'));
  }
  const [extended, plain] = ['filename*', 'filename'].map((key) => found.get(key));
  return sentFileName(extended && utf8Of(extended), plain && utf8Of(plain));
}

/** Node decodes headers as Latin-1. Clients that send other bytes than ASCII mean UTF-8, as browsers do. */
function utf8Of(text: string): string {
  const decoded = Buffer.from(text, 'latin1').toString('utf8');
  return decoded.includes('\ufffd') ? text : decoded;
}
