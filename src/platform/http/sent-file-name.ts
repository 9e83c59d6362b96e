/** One encoded word: `=?utf-8?B?…?=`, perhaps with a language behind the charset. */
const word = /=\?([^?*\s]+)(?:\*[^?\s]*)?\?([bq])\?([^?\s]*)\?=/i;
const onlyWords = new RegExp(`^${word.source}(?:[ \\t]*${word.source})*$`, 'i');
const eachWord = new RegExp(`[ \\t]*${word.source}`, 'gi');

/**
 * A file's name as its sender sees it, from the parameters of a Content-Disposition: from `filename*` if that
 * is well formed, else from `filename`. .NET's clients (RestSharp, PowerShell), Spring's and others write a
 * `filename` with letters beyond ASCII as encoded words of RFC 2047, although forms and HTTP have none: one
 * that consists of well-formed encoded words alone is decoded.
 * @param extended `filename*`
 * @param plain `filename`, without its quotes
 * @returns undefined when there is neither
 */
export const sentFileName = (extended: string | undefined, plain: string | undefined): string | undefined =>
  extendedValue(extended) ?? (plain === undefined ? undefined : withoutEncodedWords(plain));

/** RFC 8187: `UTF-8'en'na%C3%AFve.txt`. @returns undefined when malformed */
function extendedValue(value = ''): string | undefined {
  const [, charset, text] = /^([^']+)'[^']*'(.*)$/s.exec(value) ?? [];
  return text === undefined || /%(?![0-9a-f]{2})/i.test(text)
    ? undefined
    : decoded(charset!, Buffer.from(unescaped(Buffer.from(text).toString('latin1'), '%'), 'latin1'));
}

function withoutEncodedWords(name: string): string {
  if (!onlyWords.test(name)) return name;
  const words = Array.from(name.matchAll(eachWord), ([, charset, encoding, text]) =>
    decoded(charset!, bytesOf(encoding!, text!)),
  );
  return words.includes(undefined) ? name : words.join('');
}

function bytesOf(encoding: string, text: string): Buffer {
  if (/b/i.test(encoding)) return Buffer.from(text, 'base64');
  return Buffer.from(unescaped(text.replaceAll('_', ' '), '='), 'latin1');
}

/** Replaces each mark with two hexadecimal digits by the byte that it stands for. */
const unescaped = (latin1: string, mark: '%' | '='): string =>
  latin1.replace(new RegExp(`${mark}([0-9a-f]{2})`, 'gi'), (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );

/** @returns undefined for a charset that nobody knows, and for bytes that are not of it */
function decoded(charset: string, bytes: Buffer): string | undefined {
  try {
    return new TextDecoder(charset, { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
