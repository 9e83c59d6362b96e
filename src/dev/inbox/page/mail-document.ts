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

/** The HTML of a mail, for the page's frame. */
export interface MailDocument {
  /** A whole HTML document. */
  readonly document: string;
  /** Whether the HTML refers to remote images, which are not loaded. */
  readonly hasRemotePictures: boolean;
}

/**
 * Makes the document in the page's frame: the cleaned HTML with the images of the mail embedded as data:
 * URLs. It is empty for a mail without HTML. If the HTML exceeds the limits on cleaning, a notice takes its
 * place.
 */
export async function mailDocument({
  html = '',
  files,
}: Pick<MailContent, 'html' | 'files'>): Promise<MailDocument> {
  const { html: body, pictures } = await readStoredBody(html, 'HTML', { remotePictures: 'OMITTED' });
  const shown = body.replace(
    /(<img\b[^>]*?\bsrc=")cid:([^"]*)/g,
    (_whole, before: string, id: string) => before + dataUrlOf(id.replaceAll('&amp;', '&'), files),
  );
  return {
    document: head + shown,
    hasRemotePictures: pictures.some(({ kind }) => kind === 'REMOTE'),
  };
}

/** The data: URL of an embedded image, or an empty string. */
function dataUrlOf(id: string, files: readonly MailFile[]): string {
  const file = files.find(({ contentId }) => contentId === id || contentId === decoded(id));
  if (file === undefined || !shownImages.test(file.contentType)) return '';
  return `data:${file.contentType};base64,${file.content.toString('base64')}`;
}

function decoded(id: string): string {
  try {
    return decodeURIComponent(id);
  } catch {
    return id;
  }
}
