import { hash } from 'node:crypto';
import { pictureAddress, trimUrl } from './dom/links.ts';
import { offsetOfBody, parseHtml } from './dom/parse.ts';
import { bytesOfData, rasterTypeOf } from './dom/raster.ts';
import { attributeOf, type ElementNode, isHtml } from './dom/tree.ts';
import { walk } from './dom/walk.ts';

/** A picture that an editor wrote into the HTML itself. */
export interface PastedPicture {
  /** What the HTML names it by now, after `cid:`; a file name of its own. */
  readonly contentId: string;
  /** As its bytes say. */
  readonly contentType: string;
  /** The address that it stood in. */
  readonly data: string;
}

export interface TakenOut {
  /** As written, but that it names its pictures. */
  readonly body: string;
  readonly pictures: readonly PastedPicture[];
}

/**
 * Takes the pasted pictures out of an HTML body, each once, however often it is shown. What is no picture by
 * its bytes stays where it is. The same body gives the same names.
 * @throws UnreadableBody
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
  // The HTML may name a file of that name already, as when it was copied from another message.
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

/** Where the source of a picture stands in the body, if it is pasted. */
function pastedIn(element: ElementNode): { begin: number; end: number; data: string } | undefined {
  const source = attributeOf(element, 'src');
  const place = element.location?.attrs?.src;
  if (source === undefined || place === undefined || pictureAddress(source).kind !== 'DATA') return undefined;
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
