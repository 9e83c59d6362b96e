import { readStoredBody } from '../../../content/read-message-body.ts';
import type { MailContent, MailFile } from '../parse-mail.ts';

/**
 * The Content-Security-Policy of a mail's HTML. It cannot run scripts, submit forms or fetch anything: images
 * are data: URLs, and the sandbox gives the document an opaque origin. Links open in a new tab.
 */
export const mailDocumentPolicy = [
  "default-src 'none'",
  'img-src data:',
  "style-src 'unsafe-inline'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'self'",
  'sandbox allow-popups allow-popups-to-escape-sandbox',
].join('; ');

const head = [
  '<!doctype html>',
  '<meta charset="utf-8">',
  '<meta name="color-scheme" content="light">',
  '<meta name="referrer" content="no-referrer">',
  '<base target="_blank">',
  '<style>html{background:#fff;color:#111;font:15px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}',
  'body{margin:1rem clamp(1rem,3vw,1.6rem)}img{max-width:100%}</style>',
].join('');

const shownImages = /^image\/(png|jpeg|gif|webp|avif|bmp)$/;

/** Bytes of the images of a document. A mail of a megabyte can show one of them a thousand times. */
const mostImageBytes = 64 * 1024 * 1024;

const readHtml = ({ html = '' }: Pick<MailContent, 'html'>) =>
  readStoredBody(html, 'HTML', { remotePictures: 'OMITTED' });

/** Whether a mail's HTML refers to remote images, which are not loaded. */
export async function hasRemotePictures(mail: Pick<MailContent, 'html'>): Promise<boolean> {
  const { pictures } = await readHtml(mail);
  return pictures.some(({ kind }) => kind === 'REMOTE');
}

/**
 * Makes the document in the page's frame, a whole HTML document: the cleaned HTML with the images of the mail
 * embedded as data: URLs, up to 64 MiB of images; those that follow are left out. It is empty for a mail
 * without HTML. If the HTML exceeds the limits on cleaning, a notice takes its place.
 */
export async function mailDocument(mail: Pick<MailContent, 'html' | 'files'>): Promise<string> {
  const { html } = await readHtml(mail);
  // Of several files with one id, the first.
  const files = new Map(mail.files.toReversed().map((file) => [file.contentId, file]));
  let room = mostImageBytes;
  const shown = html.replace(/(<img\b[^>]*?\bsrc=")cid:([^"]*)/g, (_whole, before: string, id: string) => {
    const named = id.replaceAll('&amp;', '&');
    const file = files.get(named) ?? files.get(decoded(named));
    if (file === undefined || !shownImages.test(file.contentType)) return before;
    room -= file.content.byteLength;
    return room < 0 ? before : before + dataUrlOf(file);
  });
  return head + shown;
}

const dataUrlOf = ({ contentType, content }: MailFile): string =>
  `data:${contentType};base64,${content.toString('base64')}`;

function decoded(id: string): string {
  try {
    return decodeURIComponent(id);
  } catch {
    return id;
  }
}
