import { hash } from 'node:crypto';
import { offsetOfBody, parseHtml } from './dom/parse-html.ts';
import { bytesOfData, rasterTypeOf } from './dom/raster-image.ts';
import { attributeOf, type ElementNode, isHtml } from './dom/tree.ts';
import { parsePictureUrl, trimUrl } from './dom/urls.ts';
import { walk } from './dom/walk.ts';

/** An image that an editor embedded in the HTML as a data: URL. */
export interface PastedPicture {
  /** Its Content-ID, which is a file name too: `pasted-1.png`. */
  readonly contentId: string;
  /** Its media type, detected from its bytes. */
  readonly contentType: string;
  /** The data: URL. */
  readonly data: string;
}

/** A body without its pasted images. */
export interface TakenOut {
  /** The body, in which `cid:` URLs replace the data: URLs. Everything else in it is unchanged. */
  readonly body: string;
  /** In the order of their first occurrence in the body. */
  readonly pictures: readonly PastedPicture[];
}

/**
 * Extracts pasted images (the `src` of `img`) from an HTML body, each distinct one once. Data that is not a
 * raster image stays in the body. Content-IDs depend on the body only, so that a repeated call yields the
 * same. Cleans nothing, and stores nothing.
 * @throws UnreadableBody when the body cannot be parsed within the limits on work
 */
export function takeOutPictures(body: string): TakenOut {
  const found: { begin: number; end: number; data: string }[] = [];
  walk(parseHtml(body, { locations: true }), {
    enter(element) {
      const place = isHtml(element) && element.name === 'img' ? pastedIn(element) : undefined;
      if (place !== undefined) found.push(place);
      return true;
    },
    leave() {},
    text() {},
  });
  const pictures = new Map<string, PastedPicture>();
  // HTML that was copied from another message may already refer to such a name.
  const prefix = body.includes('pasted-') ? `pasted-${hash('sha256', body).slice(0, 8)}-` : 'pasted-';
  const parts: string[] = [];
  let at = 0;
  for (const { begin, end, data } of found.sort((a, b) => a.begin - b.begin)) {
    const picture = pictures.get(data) ?? named(data, `${prefix}${pictures.size + 1}`);
    pictures.set(data, picture);
    parts.push(body.slice(at, begin), `src="cid:${picture.contentId}"`);
    at = end;
  }
  parts.push(body.slice(at));
  return { body: parts.join(''), pictures: [...pictures.values()] };
}

/** The position of a pasted image's `src` in the body. */
function pastedIn(element: ElementNode): { begin: number; end: number; data: string } | undefined {
  const source = attributeOf(element, 'src');
  const place = element.rare?.location?.attrs?.src;
  if (source === undefined || place === undefined || parsePictureUrl(source).kind !== 'DATA')
    return undefined;
  return {
    begin: place.startOffset - offsetOfBody,
    end: place.endOffset - offsetOfBody,
    data: trimUrl(source),
  };
}

function named(data: string, name: string): PastedPicture {
  const { contentType, extension } = rasterTypeOf(bytesOfData(data, 64))!;
  return { contentId: `${name}.${extension}`, contentType, data };
}
