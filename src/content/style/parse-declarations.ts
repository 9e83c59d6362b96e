import { splitOutside, trimmed, unescapeCss, withoutComments, wordsOf } from './css-syntax.ts';
import { isValid } from './valid-values.ts';

/** A declaration. Property and value are trimmed, unescaped and in lower case. */
export interface Declaration {
  readonly property: string;
  /** Without `!important`. */
  readonly value: string;
  readonly important: boolean;
}

type Longhand = readonly [property: string, value: string];

/** White space means nothing in declarations, except that it parts words, as a comment does. */
const aBlank = () => ' ';

const known = new Map<string, readonly Declaration[]>();
/** Cached styles: the paragraphs of a mail repeat the same few. */
const maxKnown = 500;

/**
 * Parses a style attribute or the body of a rule, in linear time. Repeated declarations are kept, in the
 * order of the source. Invalid ones are left out, so that they override nothing: without a value, with one
 * that ends with an escaped blank or is not `isValid`, or with a property that is not 1 to 40 letters and
 * hyphens. Nothing reads custom properties, so it does not matter which of these are left out.
 *
 * The shorthands `font`, `background`, `list-style`, `overflow` and `inset` are expanded to the properties
 * that are used here, and left out without one; other shorthands stay. Logical properties have the names that
 * they stand for in a text from left to right and from top to bottom, those of old browsers have their names
 * of today, and `text-decoration-line` is `text-decoration`. The values of `scale` and `translate` are
 * functions, as those of `transform` are.
 */
export function parseDeclarations(css: string): readonly Declaration[] {
  const found = known.get(css);
  if (found !== undefined) return found;
  const declarations = splitOutside(withoutComments(css, aBlank), ';').flatMap(parseDeclaration);
  if (css.length < 500) {
    if (known.size >= maxKnown) known.clear();
    known.set(css, declarations);
  }
  return declarations;
}

function parseDeclaration(text: string): Declaration[] {
  const colon = text.indexOf(':');
  if (colon === -1) return [];
  const property = unescapeCss(trimmed(text.slice(0, colon))).toLowerCase();
  const written = trimmed(text.slice(colon + 1));
  const bang = written.lastIndexOf('!');
  const important =
    bang !== -1 && unescapeCss(trimmed(written.slice(bang + 1))).toLowerCase() === 'important';
  const value = unescapeCss(important ? trimmed(written.slice(0, bang)) : written).toLowerCase();
  // `none\9`, which is valid in old browsers alone: in others, the word ends with a tab.
  if (written.includes('\\') && value !== trimmed(value)) return [];
  const usual = otherNames.get(property) ?? property;
  if (!/^[a-z-]{1,40}$/.test(property) || value === '' || !isValid(usual, value)) return [];
  const parts = expand(usual, value);
  return parts === undefined
    ? [{ property: usual, value, important }]
    : parts.map(([name, part]) => ({ property: name, value: part, important }));
}

const otherNames: ReadonlyMap<string, string> = new Map(
  Object.entries({
    'block-size': 'height',
    'inline-size': 'width',
    'max-block-size': 'max-height',
    'max-inline-size': 'max-width',
    'min-block-size': 'min-height',
    'min-inline-size': 'min-width',
    'margin-block-start': 'margin-top',
    'margin-inline-start': 'margin-left',
    'inset-block-start': 'top',
    'inset-block-end': 'bottom',
    'inset-inline-start': 'left',
    'inset-inline-end': 'right',
    'overflow-block': 'overflow-y',
    'overflow-inline': 'overflow-x',
    'text-decoration-line': 'text-decoration',
    '-webkit-clip-path': 'clip-path',
    '-webkit-background-clip': 'background-clip',
    '-webkit-opacity': 'opacity',
    '-webkit-filter': 'filter',
  }),
);

/** Undefined for what is no shorthand. */
function expand(property: string, value: string): readonly Longhand[] | undefined {
  switch (property) {
    case 'font':
      return expandFont(value);
    case 'background':
      return expandBackground(value);
    case 'list-style': {
      const type = wordsOf(value).find((word) => /^[a-z-]+$/.test(word) && !/^(?:in|out)side$/.test(word));
      return type === undefined ? [] : [['list-style-type', type]];
    }
    case 'inset': {
      const [top, right = top, bottom = top, left = right] = wordsOf(value);
      return Object.entries({ top: top!, right: right!, bottom: bottom!, left: left! });
    }
    case 'overflow': {
      const [across, down = across] = wordsOf(value);
      return Object.entries({ 'overflow-x': across!, 'overflow-y': down! });
    }
    case 'scale':
    case 'translate':
      return [[property, `${property}(${wordsOf(value).join(',')})`]];
    default:
      return undefined;
  }
}

const isLength = (word: string): boolean => /^(?:0|[\d.]+(?:px|pt|pc|em|rem|ex|in|cm|mm|%))$/.test(word);
const sizeWord = /^(?:xx-small|x-small|small|medium|large|x-large|xx-large|smaller|larger)$/;

function expandFont(value: string): readonly Longhand[] {
  const words = wordsOf(value);
  const at = words.findIndex((word) => isLength(word.split('/')[0]!) || sizeWord.test(word.split('/')[0]!));
  // The family is not optional.
  if (at === -1 || at === words.length - 1) return [];
  const [size, line] = words[at]!.split('/');
  const before = words.slice(0, at);
  const family = words.slice(at + 1).join(' ');
  const weight = before.find((word) => /^(?:bold|bolder|lighter|[1-9]00)$/.test(word));
  return [
    ['font-size', size!],
    ...(line === undefined || line === '' ? [] : [['line-height', line] as const]),
    ...(weight === undefined ? [] : [['font-weight', weight] as const]),
    ...(before.includes('italic') ? [['font-style', 'italic'] as const] : []),
    ['font-family', family],
  ];
}

const notColours = [
  ...['none', 'no-', 'repeat', 'top', 'left', 'right', 'bottom', 'center', 'fixed', 'scroll', 'local'],
  ...['cover', 'contain', 'auto', 'initial', 'inherit', 'unset'],
  ...['border-box', 'content-box', 'padding-box'],
].join('|');
const backgroundColour = new RegExp(`^(?:#|[a-z-]+\\()|^(?!${notColours})[a-z]{3,}$`);

/** The colour, and an image, which makes the contrast of text on it unknown. */
function expandBackground(value: string): readonly Longhand[] {
  const words = value.includes(',') ? splitOutside(value, ',').flatMap(wordsOf) : wordsOf(value);
  const isPicture = (word: string) => /(?:url|gradient|image|image-set|element|cross-fade)\(/.test(word);
  const colour = words.find((word) => !isPicture(word) && backgroundColour.test(word));
  if (colour !== undefined && !isValid('background-color', colour)) return [];
  return [
    ['background-image', words.find(isPicture) ?? 'none'],
    ['background-color', colour ?? 'transparent'],
  ];
}
