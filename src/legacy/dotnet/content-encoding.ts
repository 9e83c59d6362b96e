/** Content codings of IANA's registry, and archives that people use as codings. */
const codings = new Set(
  (
    'gzip x-gzip deflate br zstd compress x-compress bzip2 x-bzip2 xz lzma lz4 snappy ' +
    'dcb dcz exi pack200-gzip aes128gcm'
  ).split(' '),
);

/**
 * The first name in a Content-Encoding that is a content coding such as `gzip`, as it was written; undefined
 * if there is none. Many clients send a character set (`UTF-8`) or other text instead; such names and
 * `identity` do not count. The old service ignored the header and read plain bodies.
 */
export function contentCoding(header: string | undefined): string | undefined {
  return header
    ?.split(',')
    .map((element) => element.split(';', 1)[0]!.trim())
    .find((name) => codings.has(name.toLowerCase()));
}
