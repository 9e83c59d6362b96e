import { attributeOf, type ElementNode } from '../dom/tree.ts';
import { type PictureAddress, parsePictureUrl } from '../dom/urls.ts';
import type { Declared } from '../style/cascade.ts';
import { pixelsOf } from '../style/css-syntax.ts';

/** An image in a body. */
export interface Picture {
  /** An attached file by Content-ID or name, a remote image, or a data: URL. */
  readonly kind: 'CID' | 'REMOTE' | 'DATA';
  /** Its URL, trimmed; the first characters only of a `data:` URL. */
  readonly address: string;
  /** Its alternative text; empty if there is none. */
  readonly alt: string;
}

/**
 * How remote images are handled: `HELD` writes their URL as `data-src`, so that it is not loaded; `SHOWN`
 * writes it as `src`; `OMITTED` writes the alternative text.
 */
export type RemotePictures = 'HELD' | 'SHOWN' | 'OMITTED';

/** The URL of an image: `src`, `data-src`, or the first candidate of `srcset`. */
export function pictureUrlOf(element: ElementNode): PictureAddress {
  for (const name of ['src', 'data-src']) {
    const written = attributeOf(element, name);
    const address = written === undefined ? undefined : parsePictureUrl(written);
    if (address !== undefined && address.kind !== 'none') return address;
  }
  const first = attributeOf(element, 'srcset')?.trim().split(/[\s,]/, 1)[0];
  return first === undefined ? { kind: 'none' } : parsePictureUrl(first);
}

/** Whether an image is at most one pixel wide or high, as tracking pixels are. */
export function isPixel(element: ElementNode, declared: Declared): boolean {
  const isTiny = (side: string) => {
    const size = declared.get(side) ?? attributeOf(element, side)?.trim();
    if (size === undefined) return false;
    return (/^\d+$/.test(size) ? Number(size) : (pixelsOf(size) ?? 100)) <= 1;
  };
  return isTiny('width') || isTiny('height');
}

/** Whether a style loads a remote image. */
export const loadsPicture = (declared: Declared): boolean =>
  [...declared.values()].some((value) => /(?:url|image-set|image)\(\s*["']?\s*(?:https?:)?\/\//.test(value));
