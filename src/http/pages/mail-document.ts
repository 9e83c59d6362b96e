import sanitizeHtml from 'sanitize-html';
import type { MailContent, MailFile } from '../../mail/inbox-mail.ts';

/**
 * A mail's HTML runs nothing, sends nothing and fetches nothing: images come from data: URLs only, and the sandbox gives the
 * document an origin of its own. A link that is clicked opens in a new tab.
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
/** What the policy stops already, or what it does not know of: a browser may look up or connect to a link's host in advance. */
const dropped = [
  'script',
  'link',
  'meta',
  'base',
  'iframe',
  'frame',
  'frameset',
  'object',
  'embed',
  'applet',
  'noscript',
];

/** The document that the page's frame shows: the mail's HTML as its author wrote it, but for what is active. */
export function mailDocument({ html = '', files }: Pick<MailContent, 'html' | 'files'>): string {
  const body = sanitizeHtml(html, {
    allowedTags: false,
    allowedAttributes: false,
    allowVulnerableTags: true,
    allowedSchemes: ['http', 'https', 'mailto', 'tel', 'cid', 'data'],
    nonTextTags: ['script', 'noscript', 'textarea', 'option'],
    exclusiveFilter: ({ tag }) => dropped.includes(tag),
    transformTags: { '*': (tagName, attribs) => ({ tagName, attribs: inert(attribs, files) }) },
  });
  return `<!doctype html><meta charset="utf-8"><meta name="color-scheme" content="light"><meta name="referrer" content="no-referrer"><base target="_blank"><style>html{background:#fff;color:#111;font:15px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}body{margin:1rem clamp(1rem,3vw,1.6rem)}img{max-width:100%}</style>${body}`;
}

/** Without handlers, and with the mail's own images in the place of the `cid:` that names them; no other source is left. */
function inert(attribs: Record<string, string>, files: readonly MailFile[]): Record<string, string> {
  return Object.fromEntries(
    Object.entries(attribs).flatMap(([name, value]) => {
      if (/^on|^(ping|srcdoc|srcset|poster|background|autofocus|target)$/i.test(name)) return [];
      return [[name, name === 'src' ? imageOf(value, files) : value]];
    }),
  );
}

/** A data: URL, or nothing. */
function imageOf(source: string, files: readonly MailFile[]): string {
  const id = /^cid:(.+)$/i.exec(source.trim())?.[1];
  if (id === undefined) return /^data:image\/[a-z+.-]+[;,]/i.test(source.trim()) ? source : '';
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

/** Whether the HTML asks for images from elsewhere, which are not shown. */
export const hasRemoteImages = (html: string): boolean =>
  /<img\b[^>]*\bsrc\s*=\s*["']?\s*(https?:)?\/\//i.test(html) || /url\(\s*["']?\s*(https?:)?\/\//i.test(html);
