import { attributeOf, type ElementNode } from '../dom/tree.ts';
import { type PictureAddress, parsePictureUrl } from '../dom/urls.ts';
import type { Declared } from '../style/cascade.ts';
import { pixelsOf } from '../style/css-syntax.ts';

/** An image in a body. */
export interface Picture {
  /** An attached file by Content-ID or name, a remote image, or a data: URL. */
  readonly kind: 'CID' | 'REMOTE' | 'DATA';
  /** Its URL, trimmed; of a `data:` URL the first 40 characters only. */
  readonly address: string;
  /** Its alternative text; empty if there is none. */
  readonly alt: string;
}

/**
 * How remote images are written to the HTML: `HELD` writes their URL as `data-src`, so that it is not loaded;
 * `SHOWN` writes it as `src`; `OMITTED` writes the alternative text in brackets. Tracking pixels are left
 * out, except by `SHOWN`.
 */
export type RemotePictures = 'HELD' | 'SHOWN' | 'OMITTED';

/** The URL of an image: the first allowed one of `src`, `data-src` and the first candidate of `srcset`. */
export function pictureUrlOf(element: ElementNode): PictureAddress {
  for (const name of ['src', 'data-src']) {
    const written = attributeOf(element, name);
    const address = written === undefined ? undefined : parsePictureUrl(written);
    if (address !== undefined && address.kind !== 'none') return address;
  }
  const first = attributeOf(element, 'srcset')?.trim().split(/[\s,]/, 1)[0];
  return first === undefined ? { kind: 'none' } : parsePictureUrl(first);
}

/**
 * Whether an image is at most one pixel wide or high, as tracking pixels are, by its style or else its
 * attributes. False if it has no size.
 */
export function isPixel(element: ElementNode, declared: Declared): boolean {
  const isTiny = (side: string) => {
    const size = declared.get(side) ?? attributeOf(element, side)?.trim();
    if (size === undefined) return false;
    return (/^\d+$/.test(size) ? Number(size) : (pixelsOf(size) ?? 100)) <= 1;
  };
  return isTiny('width') || isTiny('height');
}

/** Whether a style loads a remote image: by an absolute http(s) URL, or one that begins with `//`. */
export const loadsPicture = (declared: Declared): boolean =>
  [...declared.values()].some((value) => /(?:url|image-set|image)\(\s*["']?\s*(?:https?:)?\/\//.test(value));
