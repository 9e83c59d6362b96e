import { bytesOfData, rasterTypeOf } from './raster-image.ts';

/** The target of a link. */
export type LinkTarget =
  /** A web, e-mail or telephone address; spaces in it are escaped. */
  | { readonly kind: 'allowed'; readonly url: string }
  /** Another scheme, an invalid or a relative URL: shown as text, not as a link. */
  | { readonly kind: 'other'; readonly url: string }
  /** Nothing, a fragment, or (`program`) a URL that a browser may run or open as a page: removed. */
  | { readonly kind: 'none'; readonly program: boolean };

/**
 * Removes surrounding spaces and controls, and tabs and line breaks inside, as browsers do
 * (https://url.spec.whatwg.org).
 */
export function trimUrl(written: string): string {
  let begin = 0;
  let end = written.length;
  while (begin < end && written.charCodeAt(begin) <= 0x20) begin += 1;
  while (end > begin && written.charCodeAt(end - 1) <= 0x20) end -= 1;
  return written.slice(begin, end).replace(/[\t\n\r]/g, '');
}

/** The scheme of a URL in lower case, without the colon; undefined for a relative URL. */
const schemeOf = (url: string): string | undefined =>
  /^([a-z][a-z0-9+.-]{0,40}):/i.exec(url)?.[1]?.toLowerCase();

const programs = new Set(['javascript', 'vbscript', 'livescript', 'mocha', 'data', 'blob', 'about']);

/** Parses the `href` of a link: `https`, `http`, `mailto` and `tel` are allowed. Never throws. */
export function parseLinkTarget(written: string): LinkTarget {
  const url = trimUrl(written);
  if (url === '' || url.startsWith('#')) return { kind: 'none', program: false };
  const scheme = schemeOf(url);
  if (scheme !== undefined && programs.has(scheme)) return { kind: 'none', program: true };
  if ((scheme === 'http' || scheme === 'https') && URL.canParse(url))
    return { kind: 'allowed', url: inOneWord(url) };
  if ((scheme === 'mailto' || scheme === 'tel') && url.length > scheme.length + 1)
    return { kind: 'allowed', url: inOneWord(url) };
  return { kind: 'other', url };
}

/** Escapes spaces, at which mail programs would end the URL. */
const inOneWord = (url: string): string => url.replace(/ /g, '%20');

/**
 * The source of a picture: `CID`, a file of the message (`cid:`); `REMOTE`, an http(s) URL; `DATA`, a `data:`
 * URL; `none`, not allowed or missing.
 */
export type PictureAddress =
  | { readonly kind: 'CID' | 'REMOTE' | 'DATA'; readonly url: string }
  | { readonly kind: 'none' };

/** Whether the bytes of a data: URL are a raster image, regardless of its declared type. */
const isRasterData = (url: string): boolean => rasterTypeOf(bytesOfData(url, 64)) !== undefined;

/**
 * Parses the source of a picture. `data:` is accepted only if it is declared as an image and its bytes are a
 * raster image, of whichever type. A relative URL is `none`. Never throws.
 */
export function parsePictureUrl(written: string): PictureAddress {
  const url = trimUrl(written);
  const scheme = schemeOf(url);
  if ((scheme === 'http' || scheme === 'https') && URL.canParse(url))
    return { kind: 'REMOTE', url: inOneWord(url) };
  if (scheme === 'cid' && url.length > 4) return { kind: 'CID', url };
  if (scheme === 'data' && /^data:image\//i.test(url) && isRasterData(url)) return { kind: 'DATA', url };
  return { kind: 'none' };
}

/**
 * Whether the text of a link is its URL, ignoring case, the scheme (http, https, mailto or tel), a final
 * slash and surrounding white space.
 */
export function textShowsUrl(text: string, url: string): boolean {
  const plain = (address: string) =>
    address
      .trim()
      .toLowerCase()
      .replace(/^(?:https?:\/\/|mailto:|tel:)/, '')
      .replace(/\/$/, '');
  return plain(text) === plain(url);
}
