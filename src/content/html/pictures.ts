import { type PictureAddress, pictureAddress } from '../dom/links.ts';
import { attributeOf, type ElementNode } from '../dom/tree.ts';
import { pixelsOf } from '../style/css.ts';
import type { Declared } from '../style/declared.ts';

export interface Picture {
  /** A file of the message by its name or Content-ID, a picture of the web, or one that was pasted. */
  readonly kind: 'CID' | 'REMOTE' | 'DATA';
  /** As written, blanks around it taken off; of a pasted one its first characters. */
  readonly address: string;
  readonly alt: string;
}

/** What is done about pictures that their server would be asked for. */
export type RemotePictures = 'HELD' | 'SHOWN' | 'OMITTED';

/** The address of a picture: `src`, what waits in `data-src`, or else the first of its candidates. */
export function addressOfPicture(element: ElementNode): PictureAddress {
  for (const name of ['src', 'data-src']) {
    const written = attributeOf(element, name);
    const address = written === undefined ? undefined : pictureAddress(written);
    if (address !== undefined && address.kind !== 'none') return address;
  }
  const first = attributeOf(element, 'srcset')?.trim().split(/[\s,]/, 1)[0];
  return first === undefined ? { kind: 'none' } : pictureAddress(first);
}

/** A picture of one pixel says nothing but that it was asked for. */
export function isPixel(element: ElementNode, declared: Declared): boolean {
  const isTiny = (side: string) => {
    const size = declared.get(side) ?? attributeOf(element, side)?.trim();
    if (size === undefined) return false;
    return (/^\d+$/.test(size) ? Number(size) : (pixelsOf(size) ?? 100)) <= 1;
  };
  return isTiny('width') || isTiny('height');
}

/** Whether a style asks a server for a picture. */
export const asksForPicture = (declared: Declared): boolean =>
  [...declared.values()].some((value) => /(?:url|image-set|image)\(\s*["']?\s*(?:https?:)?\/\//.test(value));
