import { compile as compileHtmlToText, type HtmlToTextOptions } from 'html-to-text';
import sanitizeHtml from 'sanitize-html';

/*
 * sanitize-html copies an element's text once for each of its ancestors, and html-to-text recurses: both bounds are what keeps
 * a body of 1 MiB below about a second of CPU. Real mail stays far below them: the deepest newsletters nest 60 to 80 levels.
 */
export const maxHtmlDepth = 200;
export const maxHtmlTags = 20_000;
/** Lists and quotations are indented once for each level, all of their text each time. */
export const maxHtmlIndents = 60;
/** One tag, attributes and all. */
const maxTagCharacters = 200_000;

const blocks = ['p', 'div', 'br', 'hr', 'blockquote', 'pre', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'center'];
const lists = ['ul', 'ol', 'li', 'dl', 'dt', 'dd'];
const tables = ['table', 'caption', 'colgroup', 'col', 'thead', 'tbody', 'tfoot', 'tr', 'th', 'td'];
const phrases = [
  ...[
    'a',
    'abbr',
    'b',
    'bdi',
    'bdo',
    'big',
    'cite',
    'code',
    'del',
    'dfn',
    'em',
    'font',
    'i',
    'img',
    'ins',
    'kbd',
  ],
  ...[
    'mark',
    'q',
    's',
    'samp',
    'small',
    'span',
    'strike',
    'strong',
    'sub',
    'sup',
    'time',
    'tt',
    'u',
    'var',
    'wbr',
  ],
];

const colour = /^(?:#[0-9a-f]{3,8}|[a-z]{3,20}|rgba?\([\d\s.,%]{5,40}\))$/i;
const length = /^-?\d{1,4}(?:\.\d{1,3})?(?:px|pt|em|rem|ex|%)?$/;
const lengths =
  /^(?:-?\d{1,4}(?:\.\d{1,3})?(?:px|pt|em|rem|ex|%)?|auto)(?:\s+(?:-?\d{1,4}(?:\.\d{1,3})?(?:px|pt|em|rem|ex|%)?|auto)){0,3}$/;
const word = /^[a-z-]{2,24}$/i;

const options: sanitizeHtml.IOptions = {
  allowedTags: [...blocks, ...lists, ...tables, ...phrases],
  nonTextTags: [
    'script',
    'style',
    'textarea',
    'option',
    'xmp',
    'noscript',
    'title',
    'head',
    'template',
    'noembed',
    'noframes',
    'plaintext',
    'iframe',
    'svg',
    'math',
    'object',
    'select',
  ],
  allowedAttributes: {
    '*': ['dir', 'lang', 'title', 'align', 'style'],
    a: ['href', 'rel', 'target'],
    img: ['src', 'alt', 'width', 'height'],
    font: ['color', 'face', 'size'],
    ol: ['start', 'type'],
    table: ['border', 'cellpadding', 'cellspacing', 'width', 'bgcolor'],
    td: ['colspan', 'rowspan', 'width', 'height', 'valign', 'bgcolor'],
    th: ['colspan', 'rowspan', 'width', 'height', 'valign', 'bgcolor', 'scope'],
    tr: ['valign', 'bgcolor'],
    col: ['span', 'width'],
    time: ['datetime'],
    blockquote: ['cite'],
  },
  // Only properties that change how a text looks in its place: nothing that loads, overlays, hides or runs.
  allowedStyles: {
    '*': {
      color: [colour],
      'background-color': [colour],
      'font-family': [/^[\w\s,'"-]{1,200}$/],
      'font-size': [length, word],
      'font-style': [word],
      'font-weight': [/^(?:[1-9]00|normal|bold|bolder|lighter)$/],
      'line-height': [length, /^normal$/],
      'text-align': [word],
      'text-decoration': [word],
      'text-indent': [length],
      'vertical-align': [word],
      'white-space': [word],
      margin: [lengths],
      'margin-left': [length],
      'margin-right': [length],
      'margin-top': [length],
      'margin-bottom': [length],
      padding: [lengths],
      'padding-left': [length],
      border: [/^\d{1,2}(?:px|pt)?\s+[a-z]{4,8}(?:\s+(?:#[0-9a-f]{3,8}|[a-z]{3,20}))?$/i, /^none$/],
      'border-collapse': [word],
      'border-left': [/^\d{1,2}(?:px|pt)?\s+[a-z]{4,8}(?:\s+(?:#[0-9a-f]{3,8}|[a-z]{3,20}))?$/i],
      width: [length],
      'max-width': [length],
      height: [length],
    },
  },
  allowedSchemes: ['http', 'https', 'mailto', 'tel'],
  allowedSchemesByTag: { img: ['http', 'https', 'cid'] },
  allowedSchemesAppliedToAttributes: ['href', 'src', 'cite'],
  allowProtocolRelative: false,
  transformTags: {
    a: (tagName, attribs) => ({ tagName, attribs: outwardLink(attribs) }),
    img: (tagName, attribs) => ({ tagName, attribs: absoluteImage(attribs) }),
  },
  enforceHtmlBoundary: false,
};

/** A link opens apart from the page that shows it, and tells its target nothing of that page. Relative ones lead nowhere in a mail. */
function outwardLink(attribs: sanitizeHtml.Attributes): sanitizeHtml.Attributes {
  const { rel: _rel, target: _target, href, ...rest } = attribs;
  return href !== undefined && /^(?:https?|mailto|tel):/i.test(href)
    ? { ...attribs, target: '_blank', rel: 'noopener noreferrer nofollow' }
    : rest;
}

function absoluteImage(attribs: sanitizeHtml.Attributes): sanitizeHtml.Attributes {
  const { src, ...rest } = attribs;
  return src !== undefined && /^(?:https?|cid):/i.test(src) ? attribs : rest;
}

/**
 * HTML as it may be shown and mailed: no script, style sheet, form, frame, SVG or MathML, no handler, no URL but http(s), mailto,
 * tel and (images) cid. Call `htmlProblem` first: this is fast for what passes there only.
 */
export function sanitiseHtml(html: string): string {
  return sanitizeHtml(html, options);
}

/** Why a body cannot be sanitised within its bound, in words for its author; undefined when it can. Linear in its length. */
export function htmlProblem(html: string): string | undefined {
  let depth = 0;
  let indents = 0;
  let tags = 0;
  for (const [tag, slash, name] of html.matchAll(/<(\/?)([a-z][^\s/>]*)[^<>]*/gi)) {
    tags += 1;
    if (tag.length > maxTagCharacters) return `One HTML tag is longer than ${maxTagCharacters} characters`;
    if (tags > maxHtmlTags) return `The HTML has more than ${maxHtmlTags} tags`;
    const element = name!.toLowerCase();
    if (flat.has(element)) continue;
    const step = slash === '/' ? -1 : 1;
    depth = Math.max(0, depth + step);
    if (indenting.has(element)) indents = Math.max(0, indents + step);
    if (indents > maxHtmlIndents) return `The HTML nests more than ${maxHtmlIndents} lists and quotations`;
    if (depth > maxHtmlDepth) return `The HTML nests more than ${maxHtmlDepth} elements deep`;
  }
  return undefined;
}

/** Elements that hold nothing, or that the parser closes by itself when the next of their kind begins: they cannot nest alone. */
const flat = new Set([
  ...[
    'area',
    'base',
    'basefont',
    'br',
    'col',
    'embed',
    'hr',
    'img',
    'input',
    'link',
    'meta',
    'param',
    'source',
  ],
  ...[
    'track',
    'wbr',
    'p',
    'li',
    'dt',
    'dd',
    'tr',
    'td',
    'th',
    'thead',
    'tbody',
    'tfoot',
    'option',
    'optgroup',
  ],
]);

const indenting = new Set(['ul', 'ol', 'dl', 'blockquote']);

const textOptions: HtmlToTextOptions = {
  wordwrap: false,
  limits: { maxDepth: 2 * maxHtmlDepth, ellipsis: '' },
  selectors: [
    {
      selector: 'a',
      options: {
        hideLinkHrefIfSameAsText: true,
        ignoreHref: false,
        linkBrackets: ['<', '>'],
        noAnchorUrl: true,
      },
    },
    { selector: 'img', format: 'skip' },
    { selector: 'table', format: 'block' },
    { selector: 'tr', format: 'block' },
    ...['td', 'th'].map((selector) => ({ selector, format: 'inlineSurround', options: { suffix: ' ' } })),
    ...['h1', 'h2', 'h3', 'h4', 'h5', 'h6'].map((selector) => ({ selector, options: { uppercase: false } })),
    { selector: 'blockquote', options: { trimEmptyLines: true } },
  ],
};
const toText = compileHtmlToText(textOptions);

/** The text of an HTML body, of sanitised HTML so that nothing hidden becomes visible: links as `text <url>`, images left out. */
export function htmlToPlainText(html: string): string {
  return toText(sanitiseHtml(html)).split('\n').map(withoutTrailingBlanks).join('\n');
}

/** By hand: `/[ \t]+$/` begins again at each of a million blanks that something follows, for minutes. */
function withoutTrailingBlanks(line: string): string {
  return line.slice(0, endWithout(' \t', line));
}

function endWithout(characters: string, text: string): number {
  let end = text.length;
  while (end > 0 && characters.includes(text[end - 1]!)) end -= 1;
  return end;
}

const htmlEntities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => htmlEntities[character]!);

/** Text as HTML that looks the same: breaks and runs of blanks kept, http(s) addresses as links. */
export function plainTextToHtml(text: string): string {
  return text
    .split(/(https?:\/\/[^\s<>"']{1,2000})/)
    .map((part, index) => (index % 2 === 1 ? link(part) : escapeHtml(part)))
    .join('')
    .replace(/\r\n|\r|\n/g, '<br>\n')
    .replace(/(^|\n| ) /g, '$1&nbsp;')
    .replace(/\t/g, '&nbsp;&nbsp;&nbsp; ');
}

/** What follows a link's last word in a sentence is the sentence's. */
function link(url: string): string {
  const end = endWithout('.,;:!?)]}', url);
  const target = escapeHtml(url.slice(0, end));
  return URL.canParse(url.slice(0, end))
    ? `<a href="${target}" target="_blank" rel="noopener noreferrer nofollow">${target}</a>${escapeHtml(url.slice(end))}`
    : escapeHtml(url);
}
