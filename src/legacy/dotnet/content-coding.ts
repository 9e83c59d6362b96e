/**
 * Codings that a body can really be in, by the registry of IANA and the archives that people take for some.
 */
const codings = new Set(
  (
    'gzip x-gzip deflate br zstd compress x-compress bzip2 x-bzip2 xz lzma lz4 snappy ' +
    'dcb dcz exi pack200-gzip aes128gcm'
  ).split(' '),
);

/**
 * The first real coding that a Content-Encoding names. Many clients take the header for a character set
 * (`UTF-8`) or fill it with something; the old service did not look at it, and read what was plain.
 */
export function contentCoding(header: string | undefined): string | undefined {
  return header
    ?.split(',')
    .map((element) => element.split(';', 1)[0]!.trim())
    .find((name) => codings.has(name.toLowerCase()));
}
