import { readStoredBody } from '../../../content/read-body.ts';
import type { MailContent, MailFile } from '../parse-mail.ts';

/**
 * A mail's HTML runs nothing, sends nothing and fetches nothing: images come from data: URLs only, and the
 * sandbox gives the document an origin of its own. A link that is clicked opens in a new tab.
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

const shownImages = /^image\/(png|jpeg|gif|webp|avif|bmp)$/;

export interface MailDocument {
  readonly document: string;
  /** Whether the HTML asks for pictures from elsewhere, which are not shown. */
  readonly hasRemotePictures: boolean;
}

/**
 * What the page's frame shows of a mail: its HTML as messages are shown, with the mail's own pictures in it.
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
    document: `<!doctype html><meta charset="utf-8"><meta name="color-scheme" content="light"><meta name="referrer" content="no-referrer"><base target="_blank"><style>html{background:#fff;color:#111;font:15px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}body{margin:1rem clamp(1rem,3vw,1.6rem)}img{max-width:100%}</style>${shown}`,
    hasRemotePictures: pictures.some(({ kind }) => kind === 'REMOTE'),
  };
}

/** A picture of the mail, or nothing. */
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
