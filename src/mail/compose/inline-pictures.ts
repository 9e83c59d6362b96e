import { imageTypeOf } from './find-pictures.ts';
import type { AttachmentPart } from './mail-parts.ts';

/** A picture that the HTML refers to by its Content-ID, which is without angle brackets. */
export interface InlinePart {
  readonly contentId: string;
  readonly part: AttachmentPart;
}

/** Finds a picture by the part after `cid:`. It is called once for each one in the HTML, in order. */
export type FindPicture = (reference: string) => AttachmentPart | undefined;

/**
 * An image tag of sanitized HTML, in which attributes have double quotes and nothing else begins with `<img`.
 */
const imageTag = /<img\b(?:[^"<>]|"[^"]*")*>/gi;
const attribute = (name: string) => new RegExp(`\\s${name}="([^"]*)"`, 'i');
const [source, alternative] = [attribute('src'), attribute('alt')];

const entities: ReadonlyMap<string, string> = new Map(
  Object.entries({
    '&amp;': '&',
    '&quot;': '"',
    '&#39;': "'",
    '&lt;': '<',
    '&gt;': '>',
    '&nbsp;': '\u00a0',
  }),
);
const plainText = (value: string): string =>
  value.replace(/&(?:amp|quot|#39|lt|gt|nbsp);/g, (entity) => entities.get(entity)!);

/**
 * The pictures of one mail. Each gets a Content-ID that is unique within the mail, because file names are not
 * valid Content-IDs and two messages may both have an `image.png`.
 */
export class InlinePictures {
  readonly #seed: string;
  readonly #parts = new Map<unknown, InlinePart>();

  /** @param seed makes the Content-IDs unique to this mail */
  constructor(seed: string) {
    this.#seed = seed;
  }

  /**
   * The pictures that were placed, in the order of their first use, each once. Their `contentType` is that of
   * an image.
   */
  get parts(): readonly InlinePart[] {
    return [...this.#parts.values()];
  }

  /** Whether `placeOwn` has placed this file. */
  shows(part: AttachmentPart): boolean {
    return this.#parts.has(part);
  }

  /**
   * Rewrites the `cid:` URLs in the sanitized HTML of the mail's own message, and returns it. A picture that
   * `find` does not find stays as it is.
   */
  placeOwn(html: string, find: FindPicture): string {
    return replaceSources(html, (tag, reference) => {
      const part = reference === undefined ? undefined : find(reference);
      return part === undefined ? tag : this.#named(tag, part, part);
    });
  }

  /**
   * Rewrites the `cid:` URLs in the sanitized HTML of a quoted message, and returns it. Any other picture,
   * and one that `find` does not find, becomes its `alt` text. Equal files of several messages are one
   * picture.
   */
  placeQuoted(html: string, find: FindPicture): string {
    return replaceSources(html, (tag, reference) => {
      const part = reference === undefined ? undefined : find(reference);
      if (part === undefined) return alternative.exec(tag)?.[1] ?? '';
      // Keyed by digest: a logo in ten quoted messages is sent once.
      return this.#named(tag, part, Buffer.from(part.sha256).toString('hex'));
    });
  }

  #named(tag: string, part: AttachmentPart, key: unknown): string {
    const known = this.#parts.get(key) ?? {
      part: { ...part, contentType: imageTypeOf(part)! },
      contentId: `${this.#parts.size + 1}.${this.#seed}@inline`,
    };
    this.#parts.set(key, known);
    return tag.replace(source, ` src="cid:${known.contentId}"`);
  }
}

/**
 * The part after `cid:` of each picture in sanitized HTML, in order. Pictures with another URL are left out.
 */
export function pictureReferences(html: string): string[] {
  const references: string[] = [];
  replaceSources(html, (tag, reference) => {
    if (reference !== undefined) references.push(reference);
    return tag;
  });
  return references;
}

/** @param replace called with each image's tag, and the part after `cid:` if it has one */
function replaceSources(
  html: string,
  replace: (tag: string, reference: string | undefined) => string,
): string {
  return html.replace(imageTag, (tag) => {
    const written = source.exec(tag)?.[1];
    const reference = written === undefined ? undefined : /^\s*cid:(.*)$/is.exec(plainText(written))?.[1];
    return replace(tag, reference);
  });
}
