/** An image type that cannot contain scripts. SVG is not one, because it is a document. */
export interface RasterType {
  /** `image/png` */
  readonly contentType: string;
  /** `png` */
  readonly extension: string;
}

const at = (offset: number, text: string) => (bytes: Buffer) =>
  bytes.subarray(offset, offset + text.length).toString('latin1') === text;

const types: readonly (readonly [is: (bytes: Buffer) => boolean, RasterType])[] = [
  [at(0, '\x89PNG\r\n\x1a\n'), { contentType: 'image/png', extension: 'png' }],
  [at(0, '\xff\xd8\xff'), { contentType: 'image/jpeg', extension: 'jpg' }],
  [
    (bytes) => at(0, 'GIF87a')(bytes) || at(0, 'GIF89a')(bytes),
    { contentType: 'image/gif', extension: 'gif' },
  ],
  [(bytes) => at(0, 'RIFF')(bytes) && at(8, 'WEBP')(bytes), { contentType: 'image/webp', extension: 'webp' }],
  [at(4, 'ftypavif'), { contentType: 'image/avif', extension: 'avif' }],
  [at(0, 'BM'), { contentType: 'image/bmp', extension: 'bmp' }],
];

/**
 * Detects the type of an image by its first bytes (12 suffice): PNG, JPEG, GIF, WebP, AVIF or BMP; undefined
 * if they are not those of such an image.
 */
export const rasterTypeOf = (bytes: Buffer): RasterType | undefined => types.find(([is]) => is(bytes))?.[1];

/**
 * Decodes what follows the comma of a `data:` URL, as base64 if the URL says so; empty for a URL without a
 * comma. Never throws: invalid base64 and percent escapes are decoded as far as possible.
 * @param most maximum number of bytes; further ones are left out
 */
export function bytesOfData(address: string, most = Number.POSITIVE_INFINITY): Buffer {
  const comma = address.indexOf(',');
  if (comma === -1) return Buffer.alloc(0);
  // No encoding takes more than four characters per byte.
  const written = address.slice(comma + 1, comma + 1 + 4 * most);
  const payload = written.includes('%') ? percentDecoded(written) : written;
  const bytes = Buffer.from(payload, /;\s*base64\s*$/i.test(address.slice(0, comma)) ? 'base64' : 'latin1');
  return bytes.subarray(0, most);
}

const percentDecoded = (text: string): string =>
  text.replace(/%([0-9a-f]{2})/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
