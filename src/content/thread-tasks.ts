import type { MessageFormat } from '../platform/vocabulary.ts';
import { hasVisibleText } from './dom/has-visible-text.ts';
import { encodeTextPart } from './encode-text-part.ts';
import { checkHtml, cleanHtml, type ReadBody } from './html/clean-html.ts';
import type { RemotePictures } from './html/pictures.ts';
import { takeOutPictures } from './pasted-pictures.ts';
import { addressesOf, plainTextToHtml } from './plain-text-to-html.ts';

/** A body to read. */
export interface ReadRequest {
  /** As it was written. */
  readonly body: string;
  readonly format: MessageFormat;
  /** How remote images of HTML are written. It has no effect on plain text. */
  readonly remotePictures: RemotePictures;
}

/**
 * Tasks that can run in a worker thread, as their duration grows with the body. Each is a synchronous
 * function of one argument. `read` makes safe HTML, text and findings of a body; `checkHtml` makes the
 * findings alone; `takeOutPictures` extracts pasted images from HTML; `encodeTextPart` encodes a text for a
 * mail. All but the last throw UnreadableBody when a body exceeds the limits on work.
 */
export const tasks = { read, checkHtml, takeOutPictures, encodeTextPart };
/** The tasks by name. */
export type Tasks = typeof tasks;

/** Reads a body. @throws UnreadableBody */
function read({ body, format, remotePictures }: ReadRequest): ReadBody {
  return format === 'HTML' ? cleanHtml(body, remotePictures) : readText(body);
}

/** Each line has its own direction, so that Hebrew and English lines can be mixed. */
function readText(body: string): ReadBody {
  const html = plainTextToHtml(body);
  return {
    html: html === '' ? '' : `<div dir="auto" style="unicode-bidi:plaintext">${html}</div>`,
    text: body,
    links: [...new Set([...addressesOf(body)].map(({ url }) => url))],
    pictures: [],
    changes: [],
    blank: !hasVisibleText(body),
    needsFiles: false,
  };
}
