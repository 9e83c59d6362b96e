import type { MessageFormat } from '../platform/vocabulary.ts';
import { hasVisibleText } from './dom/has-visible-text.ts';
import { encodeTextPart } from './encode-text-part.ts';
import { checkHtml, cleanHtml, type ReadBody } from './html/clean-html.ts';
import type { RemotePictures } from './html/pictures.ts';
import { takeOutPictures } from './pasted-pictures.ts';
import { addressesOf, plainTextToHtml } from './plain-text-to-html.ts';

/** A body to read. */
export interface ReadRequest {
  readonly body: string;
  readonly format: MessageFormat;
  readonly remotePictures: RemotePictures;
}

/** Tasks that can run in a worker thread, as their duration grows with the body. */
export const tasks = { read, checkHtml, takeOutPictures, encodeTextPart };
/** The tasks by name. */
export type Tasks = typeof tasks;

/** Reads a body synchronously. @throws UnreadableBody */
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
