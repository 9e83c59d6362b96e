/** One encoded word: `=?utf-8?B?…?=`, perhaps with a language behind the charset. */
const word = /=\?([^?*\s]+)(?:\*[^?\s]*)?\?([bq])\?([^?\s]*)\?=/i;
const onlyWords = new RegExp(`^${word.source}(?:[ \\t]*${word.source})*$`, 'i');
const eachWord = new RegExp(`[ \\t]*${word.source}`, 'gi');

/**
 * A file's name as its sender sees it. .NET's clients (RestSharp, PowerShell), Spring's and others write a
 * name with letters beyond ASCII as encoded words of RFC 2047, although forms and HTTP have none.
 * @param name `filename` without its quotes
 * @returns the name unchanged, unless it consists of well-formed encoded words alone
 */
export function withoutEncodedWords(name: string): string {
  if (!onlyWords.test(name)) return name;
  try {
    return name.replace(eachWord, (_, charset: string, encoding: string, text: string) =>
      new TextDecoder(charset, { fatal: true }).decode(bytesOf(encoding, text)),
    );
  } catch {
    // A charset that nobody knows, or bytes that are not of it.
    return name;
  }
}

function bytesOf(encoding: string, text: string): Buffer {
  if (/b/i.test(encoding)) return Buffer.from(text, 'base64');
  const characters = text
    .replaceAll('_', ' ')
    .replace(/=([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(characters, 'latin1');
}
